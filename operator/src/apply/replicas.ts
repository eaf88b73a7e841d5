/**
 * Who owns the number of MCP pods. Set in the spec: this operator. Unset: a second field manager that writes it once, so that
 * `kubectl scale` and autoscalers keep it. The main apply may drop the field only after that, because a field dropped by its
 * only owner falls back to 1.
 */
import type { V1Deployment } from '@kubernetes/client-node';
import type { KubeClient } from '../kube/client.ts';
import { FIELD_MANAGER } from './applier.ts';

export const REPLICAS_MANAGER = 'klingapi-replicas';

const ownsReplicas = (live: V1Deployment, manager: string): boolean =>
  live.metadata?.managedFields?.some((entry) => {
    const fields: unknown = entry.fieldsV1;
    return (
      entry.manager === manager &&
      entry.operation === 'Apply' &&
      JSON.stringify(fields ?? {}).includes('"f:replicas":{}')
    );
  }) ?? false;

/**
 * @param wanted `spec.mcp.replicas`
 * @param initial number of pods at creation
 * @returns what the main apply has to carry, and the number to hand over first, if any
 */
export function replicasPlan(
  wanted: number | undefined,
  live: V1Deployment | undefined,
  initial: number,
): { apply: number | undefined; handOver: number | undefined } {
  if (wanted !== undefined) return { apply: wanted, handOver: undefined };
  if (live === undefined) return { apply: initial, handOver: undefined };
  return {
    apply: undefined,
    handOver: ownsReplicas(live, FIELD_MANAGER) ? (live.spec?.replicas ?? initial) : undefined,
  };
}

/** Writes the number under the second manager. */
export async function handOverReplicas(
  client: Pick<KubeClient, 'apply'>,
  live: V1Deployment,
  replicas: number,
): Promise<void> {
  await client.apply(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: live.metadata?.name ?? '',
        namespace: live.metadata?.namespace ?? '',
        uid: live.metadata?.uid ?? '',
      },
      spec: { replicas },
    },
    { fieldManager: REPLICAS_MANAGER, force: true },
  );
}
