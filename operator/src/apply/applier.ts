/**
 * Applies one child. It is left alone when the desired object, the live uid and our own `managedFields` entry are what they
 * were after the last apply: a foreign edit of a field we own takes it out of that entry, on every kind.
 */
import { createHash } from 'node:crypto';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound, isPassing, KubeError } from '../kube/errors.ts';
import { foreign, type Owner, StalledError } from './foreign.ts';
import { FIELD_MANAGER } from './manager.ts';
import { takeBack } from './take-back.ts';

export { FIELD_MANAGER };

export interface Applied<T> {
  object: T;
  outcome: 'Created' | 'Applied' | 'Unchanged';
}

export interface ChildApplier {
  /**
   * @param live the child as the cache has it; undefined where it has none
   * @throws StalledError where the object is foreign or the API server refuses it for good
   */
  apply<T extends KubernetesObject>(
    desired: T,
    live: KubernetesObject | undefined,
    owner: Owner,
  ): Promise<Applied<T | KubernetesObject>>;
  forget(uid: string): void;
}

const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('base64');

/** Our part of an object's managedFields, without its time. */
function ownFields(object: KubernetesObject | undefined): string {
  const entry = object?.metadata?.managedFields?.find(
    (field) => field.manager === FIELD_MANAGER && field.operation === 'Apply' && field.subresource === undefined,
  );
  return entry === undefined ? '' : digest(entry.fieldsV1);
}

/** What the same apply will meet again; a list with a key twice is refused with a 500. */
const isRefusal = (error: KubeError): boolean =>
  ([400, 403, 422].includes(error.status) && !isPassing(error)) ||
  (error.status === 500 && error.message.includes('failed to create typed patch object'));

export function createApplier(client: Pick<KubeClient, 'apply' | 'get' | 'mergePatch'>): ChildApplier {
  const applyOwn = <T extends KubernetesObject>(desired: T): Promise<T> =>
    client.apply(desired, { fieldManager: FIELD_MANAGER, force: true });
  /** An edit that stands in the way of its own undoing (the number of a port, say) is taken back first. */
  const applyOver = <T extends KubernetesObject>(desired: T, live: KubernetesObject | undefined): Promise<T> =>
    applyOwn(desired).catch(async (error: unknown) => {
      if (live === undefined || !(error instanceof KubeError) || error.status !== 422) throw error;
      if (!(await takeBack(client, desired))) throw error;
      return applyOwn(desired);
    });

  interface Known {
    owner: string;
    desired: string;
    uid: string;
    fields: string;
    /** What the API server answered, until the cache has it. */
    answer: KubernetesObject | undefined;
  }
  const memory = new Map<string, Known>();
  return {
    async apply(desired, cached, owner) {
      const kind = desired.kind ?? '';
      const reference = {
        apiVersion: desired.apiVersion ?? '',
        kind,
        namespace: desired.metadata?.namespace ?? '',
        name: desired.metadata?.name ?? '',
      };
      const key = `${kind}/${reference.namespace}/${reference.name}`;
      // The cache holds our labels only, so what it lacks may still be there under another owner.
      const live =
        cached ??
        (await client
          .get(reference)
          .catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error))));
      if (live !== undefined) {
        const finding = foreign(kind, live.metadata, owner);
        if (finding !== null) throw new StalledError(finding);
      }
      const wanted = digest(desired);
      const known = memory.get(key);
      if (
        live !== undefined &&
        known !== undefined &&
        known.desired === wanted &&
        known.uid === live.metadata?.uid &&
        known.fields === ownFields(live)
      ) {
        // a cache that is behind shows the template of before: a rollout that just began would look undone
        if ((live.metadata.generation ?? 0) < (known.answer?.metadata?.generation ?? 0))
          return { object: known.answer ?? live, outcome: 'Unchanged' };
        known.answer = undefined;
        return { object: live, outcome: 'Unchanged' };
      }
      try {
        const object = await applyOver(desired, live);
        memory.set(key, {
          owner: owner.uid,
          desired: wanted,
          uid: object.metadata?.uid ?? '',
          fields: ownFields(object),
          answer: object,
        });
        const changed = live?.metadata?.resourceVersion !== object.metadata?.resourceVersion;
        return { object, outcome: live === undefined ? 'Created' : changed ? 'Applied' : 'Unchanged' };
      } catch (error) {
        if (error instanceof KubeError && isRefusal(error)) {
          throw new StalledError({
            reason: error.status === 403 ? 'Forbidden' : 'Refused',
            message: `${kind} ${reference.name}: ${error.message}`,
          });
        }
        throw error;
      }
    },
    forget(uid) {
      for (const [key, entry] of memory) if (entry.owner === uid) memory.delete(key);
    },
  };
}
