/** The API workload on PostgreSQL: any number of pods, which share queue and limits through the database. */
import type { V1Deployment } from '@kubernetes/client-node';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames, selectorLabels } from '../resource/names.ts';
import { apiPodTemplate } from './api-pod.ts';
import { childMeta, type ImageSettings } from './child.ts';

/**
 * @param replicas number of pods to own; absent where another owns the field (kubectl scale, an autoscaler)
 * @param stamp changes with what the pods read from Secrets and ConfigMaps; absent where that is nothing
 */
export function apiDeployment(
  klingApi: KlingApi,
  settings: ImageSettings,
  replicas: number | undefined,
  stamp: string | undefined,
): V1Deployment & { metadata: ReturnType<typeof childMeta> } {
  const { name } = klingApi.metadata;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: childMeta(klingApi, childNames(name).api, 'api'),
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: selectorLabels(name, 'api') },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: apiPodTemplate(klingApi, settings, stamp),
    },
  };
}
