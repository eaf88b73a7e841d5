/** Sets the number of MCP pods by their use of the CPU. Only the MCP container counts, so an injected sidecar changes nothing. */
import type { V2HorizontalPodAutoscaler } from '@kubernetes/client-node';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames } from '../resource/names.ts';
import type { Autoscaling } from '../resource/spec.ts';
import { childMeta } from './child.ts';

export function autoscaler(
  klingApi: KlingApi,
  { min, max, cpuPercent }: Autoscaling,
): V2HorizontalPodAutoscaler & { metadata: ReturnType<typeof childMeta> } {
  const name = childNames(klingApi.metadata.name).mcp;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: childMeta(klingApi, name, 'mcp'),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: min,
      maxReplicas: max,
      metrics: [
        {
          type: 'ContainerResource',
          containerResource: {
            name: 'cpu',
            container: 'mcp',
            target: { type: 'Utilization', averageUtilization: cpuPercent },
          },
        },
      ],
    },
  };
}
