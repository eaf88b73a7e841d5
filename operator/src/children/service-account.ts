/** The identity of the pods; it may do nothing and carries no token. */
import type { V1ServiceAccount } from '@kubernetes/client-node';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames } from '../resource/names.ts';
import { childMeta } from './child.ts';

export const serviceAccount = (klingApi: KlingApi): V1ServiceAccount & { metadata: ReturnType<typeof childMeta> } => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: childMeta(klingApi, childNames(klingApi.metadata.name).serviceAccount),
  automountServiceAccountToken: false,
});
