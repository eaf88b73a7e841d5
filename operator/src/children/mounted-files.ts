/** Keys of Secrets as files of one folder, and the variables that name them. */
import type { V1Volume, V1VolumeMount } from '@kubernetes/client-node';
import type { KlingApi } from '../resource/klingapi.ts';
import { MOUNT } from './pod.ts';

interface File {
  /** Absent where the resource names none: then there is no file and no variable. */
  ref: { name: string; key: string } | undefined;
  variable: string;
  path: string;
}

export interface MountedFiles {
  env: Record<string, string>;
  mounts: V1VolumeMount[];
  volumes: V1Volume[];
}

/** @param folder also the name of the volume */
export function mountedFiles(folder: 'upstream' | 'webhook' | 'database' | 'results', files: File[]): MountedFiles {
  const named = files.flatMap(({ ref, ...rest }) => (ref === undefined ? [] : [{ ref, ...rest }]));
  if (named.length === 0) return { env: {}, mounts: [], volumes: [] };
  return {
    env: Object.fromEntries(named.map(({ variable, path }) => [variable, `${MOUNT[folder]}/${path}`])),
    mounts: [{ name: folder, mountPath: MOUNT[folder], readOnly: true }],
    volumes: [
      {
        name: folder,
        projected: {
          defaultMode: 0o440,
          sources: named.map(({ ref, path }) => ({ secret: { name: ref.name, items: [{ key: ref.key, path }] } })),
        },
      },
    ],
  };
}

/** The secret of callbacks: the sandbox signs with it, as the vendor does, and the API checks. */
export const webhookSecret = ({ spec }: KlingApi): MountedFiles =>
  mountedFiles('webhook', [{ ref: spec.upstream.webhookSecretRef, variable: 'WEBHOOK_SECRET_FILE', path: 'secret' }]);
