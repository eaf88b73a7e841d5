/** Takes the field ownership of others out of an object: most of its size, and nothing that this operator compares. */
import type { KubernetesObject } from '@kubernetes/client-node';

/** Changes `object`, which nobody else has seen yet. @param keep managers whose entries stay; undefined: all */
export function prune<T extends KubernetesObject>(object: T, keep: readonly string[] | undefined): T {
  const metadata = object.metadata;
  if (keep === undefined || metadata?.managedFields === undefined) return object;
  const kept = metadata.managedFields.filter(({ manager }) => manager !== undefined && keep.includes(manager));
  if (kept.length === 0) delete metadata.managedFields;
  else metadata.managedFields = kept;
  return object;
}
