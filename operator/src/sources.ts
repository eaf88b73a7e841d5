/** What wakes the controller: KlingApis themselves, and their children by the label that names them. */

import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { CacheReader, Change } from './kube/cache.ts';
import { type ObjectKey, type Source, sourceOf } from './kube/controller.ts';
import { NAME_LABEL } from './resource/names.ts';

const keyOf = (object: Readonly<KubernetesObject>): ObjectKey => ({
  namespace: object.metadata?.namespace ?? '',
  name: object.metadata?.name ?? '',
});

/** Changes of the status alone are our own: no reason to look again. */
export const klingApiSource = (cache: CacheReader<KubernetesObject>): Source =>
  sourceOf(cache, (change) => {
    if (change.type === 'Updated') {
      const [before, now] = [change.before.metadata, change.object.metadata];
      const same =
        before?.generation === now?.generation &&
        before?.deletionTimestamp === now?.deletionTimestamp &&
        isDeepStrictEqual(before?.annotations, now?.annotations);
      if (same) return [];
    }
    return [keyOf(change.object)];
  });

/** A child asks for its KlingApi, also where it just lost the label that names it. */
export function childKeys(change: Change<KubernetesObject>): ObjectKey[] {
  const { object } = change;
  const name =
    object.metadata?.labels?.[NAME_LABEL] ??
    (change.type === 'Updated' ? change.before.metadata?.labels?.[NAME_LABEL] : undefined);
  return name === undefined ? [] : [{ namespace: object.metadata?.namespace ?? '', name }];
}

export const childSource = (cache: CacheReader<KubernetesObject>): Source => sourceOf(cache, childKeys);

/** Calls `forget` with the uid of each object that is gone, also where another took its name at once. */
export const onDeleted = (cache: CacheReader<KubernetesObject>, forget: (uid: string) => void): (() => void) =>
  cache.onChange((change) => {
    if (change.type === 'Deleted' && change.object.metadata?.uid !== undefined) forget(change.object.metadata.uid);
  });
