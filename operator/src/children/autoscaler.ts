/** Sets the number of pods of a Deployment by their use of the CPU. Only the service's own container counts, so an injected sidecar changes nothing. */
import type { V2HorizontalPodAutoscaler } from '@kubernetes/client-node';
import type { Autoscaling } from '../resource/autoscaling.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames } from '../resource/names.ts';
import { childMeta } from './child.ts';

export function autoscaler(
  klingApi: KlingApi,
  component: 'mcp' | 'api',
  { min, max, cpuPercent }: Autoscaling,
): V2HorizontalPodAutoscaler & { metadata: ReturnType<typeof childMeta> } {
  const name = childNames(klingApi.metadata.name)[component];
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: childMeta(klingApi, name, component),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: min,
      maxReplicas: max,
      metrics: [
        {
          type: 'ContainerResource',
          containerResource: {
            name: 'cpu',
            container: component,
            target: { type: 'Utilization', averageUtilization: cpuPercent },
          },
        },
      ],
    },
  };
}
