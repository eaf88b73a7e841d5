/**
 * The volume claim of the task store. `reclaim: Retain` gives it no owner, so it outlives its KlingApi and a new one
 * of that name takes it again; `Delete` makes the KlingApi its owner. Changing the one to the other changes the live claim.
 */
import type { V1PersistentVolumeClaim } from '@kubernetes/client-node';
import type { SqliteStorage } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames } from '../resource/names.ts';
import { childMeta } from './child.ts';

export function dataClaim(
  klingApi: KlingApi,
  storage: SqliteStorage,
): V1PersistentVolumeClaim & { metadata: ReturnType<typeof childMeta> } {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: childMeta(klingApi, childNames(klingApi.metadata.name).dataClaim, 'api', storage.reclaim === 'Delete'),
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: storage.size } },
      ...(storage.storageClassName === undefined ? {} : { storageClassName: storage.storageClassName }),
    },
  };
}
