import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startDaemon } from './daemons.ts';
import { inState, kubeconfigFile, nodeName, volumeCount } from './settings.ts';

/**
 * Storage without a provisioner: a pool of folders, each a `local`
 * PersistentVolume. `local` and not `hostPath`, because only there the kubelet
 * honours fsGroup, without which a non-root process could not write. The
 * recycler (recycler.ts) empties a released one and gives it back.
 */
export const volumeName = (index: number): string => `local-${String(index).padStart(2, '0')}`;
export const volumeFolder = (name: string): string => inState('volumes', name);

export async function makeVolumeFolders(): Promise<void> {
  for (const name of volumeNames()) await mkdir(volumeFolder(name), { recursive: true });
}

const volumeNames = () => Array.from({ length: volumeCount }, (_, index) => volumeName(index));

export function storageManifests(): object[] {
  return [
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'kubernetes.io/no-provisioner',
      volumeBindingMode: 'WaitForFirstConsumer',
      reclaimPolicy: 'Retain',
    },
    ...volumeNames().map((name) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        storageClassName: 'standard',
        capacity: { storage: '2Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        local: { path: volumeFolder(name) },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [nodeName] }] },
            ],
          },
        },
      },
    })),
  ];
}

export function startRecycler(): void {
  const script = join(import.meta.dirname, 'recycler.ts');
  startDaemon('volume-recycler', [process.execPath, '--disable-warning=ExperimentalWarning', script, kubeconfigFile]);
}
