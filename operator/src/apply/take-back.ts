/**
 * Server-side apply tells the items of a list apart by a key. Whoever changes that key (the number of a port) leaves an item
 * of his own, which an apply never takes away; where ours cannot stand beside it (two ports of one name) the apply is refused.
 * So the lists are replaced as they should be, and what the others owned on the object is forgotten: it is the operator's.
 */
import type { KubernetesObject } from '@kubernetes/client-node';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import { FIELD_MANAGER } from './manager.ts';

/** @returns whether it did; false where the API server refuses that too, so the desired object itself is at fault */
export async function takeBack(client: Pick<KubeClient, 'mergePatch'>, desired: KubernetesObject): Promise<boolean> {
  const { apiVersion = '', kind = '', metadata, ...content } = desired;
  const ref = { apiVersion, kind, namespace: metadata?.namespace, name: metadata?.name ?? '' };
  const patch = (change: object): Promise<KubernetesObject> =>
    client.mergePatch(ref, change, { fieldManager: FIELD_MANAGER });
  try {
    const replaced = await patch(content);
    const own = replaced.metadata?.managedFields?.filter(
      ({ manager, operation }) => manager === FIELD_MANAGER && operation === 'Apply',
    );
    // a change of managedFields alone is nobody's
    if (own !== undefined && own.length > 0) await patch({ metadata: { managedFields: own } });
    return true;
  } catch (error) {
    if (error instanceof KubeError && error.status === 422) return false;
    throw error;
  }
}
