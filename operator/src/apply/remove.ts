/** A block that went away takes its children along; what is not ours stays. */
import type { Context } from '../context.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import type { KlingApi } from '../resource/klingapi.ts';

type Deps = Pick<Context, 'client' | 'caches' | 'log'>;

/** @param child by its apiVersion, kind and name; nothing happens where there is none, or where it is ending already */
export async function removeChild(
  klingApi: KlingApi,
  child: { apiVersion: string; kind: string; name: string },
  { client, caches, log }: Deps,
): Promise<void> {
  const { namespace, name, uid } = klingApi.metadata;
  const live = caches.child(child.kind, namespace, child.name)?.metadata;
  const ours = live?.ownerReferences?.some((reference) => reference.uid === uid) === true;
  if (live?.uid === undefined || !ours || live.deletionTimestamp !== undefined) return;
  try {
    await client.delete({ ...child, namespace }, { uid: live.uid });
    log.info({ klingapi: name, namespace, kind: child.kind, child: child.name }, 'Child was removed');
  } catch (error) {
    // gone already, or made anew by somebody: the cache will tell
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
