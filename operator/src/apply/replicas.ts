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
 * @returns what the main apply has to carry, and whether the number is to be handed over first
 */
export function replicasPlan(
  wanted: number | undefined,
  live: V1Deployment | undefined,
  initial: number,
): { apply: number | undefined; handOver: boolean } {
  if (wanted !== undefined) return { apply: wanted, handOver: false };
  if (live === undefined) return { apply: initial, handOver: false };
  return { apply: undefined, handOver: ownsReplicas(live, FIELD_MANAGER) };
}

/**
 * Writes the number under the second manager, as it is at this moment: somebody may have scaled it since the cache was told.
 * @throws KubeError a conflict where it changes meanwhile
 */
export async function handOverReplicas(
  client: Pick<KubeClient, 'apply' | 'get'>,
  namespace: string,
  name: string,
): Promise<void> {
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment' };
  const live = await client.get<V1Deployment>({ ...deployment, namespace, name });
  const { uid = '', resourceVersion = '' } = live.metadata ?? {};
  const replicas = live.spec?.replicas;
  if (replicas === undefined || !ownsReplicas(live, FIELD_MANAGER)) return;
  await client.apply(
    { ...deployment, metadata: { name, namespace, uid, resourceVersion }, spec: { replicas } },
    { fieldManager: REPLICAS_MANAGER, force: true },
  );
}
