/** Drains of nodes take the pods of a workload one at a time. A pod that is not ready serves nobody, so it never holds up a drain. */
import type { V1PodDisruptionBudget } from '@kubernetes/client-node';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames, selectorLabels } from '../resource/names.ts';
import { childMeta } from './child.ts';

/** With one pod a budget would only be in the way of whoever empties a node. */
export const wantsDisruptionBudget = (replicas: number): boolean => replicas > 1;

export function disruptionBudget(
  klingApi: KlingApi,
  component: 'mcp' | 'api',
): V1PodDisruptionBudget & { metadata: ReturnType<typeof childMeta> } {
  const { name } = klingApi.metadata;
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: childMeta(klingApi, childNames(name)[component], component),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: selectorLabels(name, component) },
    },
  };
}
