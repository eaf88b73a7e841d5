/**
 * The two Secrets the operator makes: the key of the assertions, and (unless the resource names another) one caller.
 * Both are made once and never overwritten, so that a key somebody uses stays valid.
 */
import type { V1Secret } from '@kubernetes/client-node';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames } from '../resource/names.ts';
import { childMeta } from './child.ts';

type Secret = V1Secret & { metadata: ReturnType<typeof childMeta> };

/** @param key text of at least 32 bytes */
export const internalSecret = (klingApi: KlingApi, key: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'Opaque',
  metadata: childMeta(klingApi, childNames(klingApi.metadata.name).internalSecret),
  data: { key: Buffer.from(key).toString('base64') },
});

/** @param key what the caller `default` sends as bearer token */
export const callersSecret = (klingApi: KlingApi, key: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'Opaque',
  metadata: childMeta(klingApi, childNames(klingApi.metadata.name).callersSecret),
  data: { default: Buffer.from(key).toString('base64') },
});
