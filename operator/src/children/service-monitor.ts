/**
 * Tells the Prometheus operator (v1) where metrics are: on the management port of the pods, which no Service carries, so it is
 * named by the container's port. Pods of a server of another make have it on their probe sidecar.
 */
import type { KubernetesObject } from '@kubernetes/client-node';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames, selectorLabels } from '../resource/names.ts';
import { childMeta } from './child.ts';

export interface ServiceMonitor extends KubernetesObject {
  metadata: ReturnType<typeof childMeta>;
  spec: {
    selector: { matchLabels: Record<string, string> };
    endpoints: {
      targetPort: string;
      path: string;
      relabelings: { sourceLabels: string[]; targetLabel: string }[];
    }[];
  };
}

export function serviceMonitor(klingApi: KlingApi, component: 'mcp' | 'api'): ServiceMonitor {
  const { name } = klingApi.metadata;
  const meta = childMeta(klingApi, childNames(name)[component], component);
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: { ...meta, labels: { ...klingApi.spec.monitoring.labels, ...meta.labels } },
    spec: {
      selector: { matchLabels: selectorLabels(name, component) },
      endpoints: [
        {
          targetPort: 'management',
          path: '/metrics',
          // the same label as on the operator's own series, so that rules and dashboards can join them
          relabelings: [
            { sourceLabels: ['__meta_kubernetes_service_label_klingapi_dev_name'], targetLabel: 'klingapi' },
          ],
        },
      ],
    },
  };
}
