/** The API workload on SQLite: one pod, one volume, never two of them at once. */
import type { V1StatefulSet } from '@kubernetes/client-node';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames, selectorLabels } from '../resource/names.ts';
import { apiPodTemplate } from './api-pod.ts';
import { childMeta, type ImageSettings } from './child.ts';

/** @param stamp changes with what the pods read from Secrets and ConfigMaps; absent where that is nothing */
export function apiStatefulSet(
  klingApi: KlingApi,
  settings: ImageSettings,
  stamp: string | undefined,
): V1StatefulSet & { metadata: ReturnType<typeof childMeta> } {
  const { name } = klingApi.metadata;
  const names = childNames(name);
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: childMeta(klingApi, names.api, 'api'),
    spec: {
      replicas: klingApi.spec.api.replicas ?? 1,
      serviceName: names.api,
      // in order, a pod that never gets ready is not replaced even when its template is mended
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: selectorLabels(name, 'api') },
      template: apiPodTemplate(klingApi, settings, stamp),
    },
  };
}
