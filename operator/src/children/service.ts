/** The Services. None of them carries the management port. */
import type { V1Service } from '@kubernetes/client-node';
import type { KlingApi } from '../resource/klingapi.ts';
import { API_PORT, type Component, childNames, SANDBOX_PORT, selectorLabels } from '../resource/names.ts';
import { childMeta } from './child.ts';

export function service(
  klingApi: KlingApi,
  component: Component,
): V1Service & { metadata: ReturnType<typeof childMeta> } {
  const { name } = klingApi.metadata;
  const port = { mcp: klingApi.spec.mcp.port, api: API_PORT, sandbox: SANDBOX_PORT }[component];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMeta(klingApi, childNames(name)[component], component),
    spec: {
      type: 'ClusterIP',
      selector: selectorLabels(name, component),
      ports: [
        {
          name: 'http',
          port,
          targetPort: { mcp: 'mcp', api: 'api', sandbox: 'kling' }[component],
          protocol: 'TCP',
          appProtocol: 'http',
        },
      ],
    },
  };
}
