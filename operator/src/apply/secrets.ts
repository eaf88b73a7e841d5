/** Secrets and ConfigMaps by name: `get`, of Secrets also `create`, never list or watch. What was read is good for about a minute. */
import { randomBytes } from 'node:crypto';
import type { KubernetesObject, V1ConfigMap, V1Secret } from '@kubernetes/client-node';
import { callersSecret, internalSecret } from '../children/secret.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict, isForbidden, isNotFound } from '../kube/errors.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { foreign, StalledError } from './foreign.ts';

export type SecretData = Record<string, Buffer>;

export interface Secrets {
  /** Makes `<name>-internal` and, where no other is named, `<name>-callers`, unless they are there. @returns the internal key */
  ensure(klingApi: KlingApi): Promise<string>;
  /** @returns undefined where there is no such Secret, or where it may not be read */
  read(namespace: string, name: string): Promise<SecretData | undefined>;
  /** The same for either kind; of a ConfigMap the texts alone, which is what variables are made of. */
  lookUp(kind: 'Secret' | 'ConfigMap', namespace: string, name: string): Promise<SecretData | undefined>;
  /** Like `ensure`, without writing anything. @returns undefined where there is no key that is good for signing */
  internalKey(klingApi: KlingApi): Promise<string | undefined>;
}

const GOOD_FOR_MS = 60_000;
/** A shorter key signs nothing. */
const KEY_LENGTH = 32;
/** 256 bits; for a caller a prefix says what the key is for. */
const newKey = (prefix = ''): string => `${prefix}${randomBytes(32).toString('base64url')}`;

const decode = (secret: V1Secret): SecretData =>
  Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]));

/** @param jitter a number from 0 to 1, so that operators of many resources do not read in step */
export function createSecrets(
  client: Pick<KubeClient, 'get' | 'create'>,
  now: () => number,
  jitter: () => number,
): Secrets {
  const remembered = <T extends KubernetesObject>(kind: 'Secret' | 'ConfigMap') => {
    const known = new Map<string, { object: T | undefined; until: number }>();
    return {
      known,
      async get(namespace: string, name: string): Promise<T | undefined> {
        const key = `${namespace}/${name}`;
        const hit = known.get(key);
        if (hit !== undefined && now() < hit.until) return hit.object;
        const object = await client
          .get<T>({ apiVersion: 'v1', kind, namespace, name })
          .catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)));
        // what is missing may come any moment
        const goodForMs = object === undefined ? 2_000 : GOOD_FOR_MS * (0.8 + 0.4 * jitter());
        known.set(key, { object, until: now() + goodForMs });
        return object;
      },
    };
  };
  const { known, get } = remembered<V1Secret>('Secret');
  const configMaps = remembered<V1ConfigMap>('ConfigMap');

  async function make(klingApi: KlingApi, desired: ReturnType<typeof internalSecret>): Promise<V1Secret> {
    const { namespace, name } = desired.metadata;
    let there = await get(namespace, name);
    if (there !== undefined && foreign('Secret', there.metadata, klingApi.metadata) !== null) {
      // what was read a while ago may be of an earlier KlingApi of this name
      known.delete(`${namespace}/${name}`);
      there = await get(namespace, name);
    }
    if (there !== undefined) {
      const finding = foreign('Secret', there.metadata, klingApi.metadata);
      if (finding === null) return there;
      throw new StalledError(finding);
    }
    known.delete(`${namespace}/${name}`);
    try {
      const made = (await client.create(desired)) as V1Secret;
      known.set(`${namespace}/${name}`, { object: made, until: now() + GOOD_FOR_MS });
      return made;
    } catch (error) {
      // another operator was faster: its key stands
      const other = isConflict(error) ? await get(namespace, name) : undefined;
      if (other === undefined) throw error;
      return other;
    }
  }

  /** A look goes on without what it may not read: only so can the status tell of it. */
  const unlessForbidden = <T>(reading: Promise<T>): Promise<T | undefined> =>
    reading.catch((error: unknown) => (isForbidden(error) ? undefined : Promise.reject(error)));

  const readable = (namespace: string, name: string): Promise<V1Secret | undefined> =>
    unlessForbidden(get(namespace, name));

  async function read(namespace: string, name: string): Promise<SecretData | undefined> {
    const secret = await readable(namespace, name);
    return secret === undefined ? undefined : decode(secret);
  }

  async function readConfigMap(namespace: string, name: string): Promise<SecretData | undefined> {
    const found = await unlessForbidden(configMaps.get(namespace, name));
    if (found === undefined) return undefined;
    return Object.fromEntries(Object.entries(found.data ?? {}).map(([key, value]) => [key, Buffer.from(value)]));
  }

  function keyOf(secret: V1Secret | undefined): string | undefined {
    const key = secret === undefined ? undefined : decode(secret)['key']?.toString('utf8').trim();
    return key === undefined || key.length < KEY_LENGTH ? undefined : key;
  }

  return {
    async ensure(klingApi) {
      const internal = await make(klingApi, internalSecret(klingApi, newKey()));
      if (klingApi.spec.api.callersSecretRef === undefined)
        await make(klingApi, callersSecret(klingApi, newKey('kling_')));
      const key = keyOf(internal);
      if (key === undefined) {
        throw new StalledError({
          reason: 'InternalSecretBroken',
          message: `Secret ${internal.metadata?.name} lacks the key "key" of at least 32 bytes: delete it and it is made anew`,
        });
      }
      return key;
    },
    read,
    lookUp: (kind, namespace, name) => (kind === 'Secret' ? read : readConfigMap)(namespace, name),
    async internalKey(klingApi) {
      return keyOf(await readable(klingApi.metadata.namespace, internalSecret(klingApi, '').metadata.name));
    },
  };
}
