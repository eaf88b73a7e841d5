/** A Deployment whose number of pods may be somebody else's, with its autoscaler and its disruption budget. */
import type { V1Deployment } from '@kubernetes/client-node';
import { autoscaler } from '../children/autoscaler.ts';
import { disruptionBudget, wantsDisruptionBudget } from '../children/disruption-budget.ts';
import { ownedReplicas } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames } from '../resource/names.ts';
import type { Hands } from './hands.ts';
import { handOverReplicas, replicasPlan } from './replicas.ts';

/** @param put keeps the Deployment with the number of pods to own, if any; undefined where there is none yet */
export async function keepScaled(
  klingApi: KlingApi,
  component: 'mcp' | 'api',
  before: V1Deployment | undefined,
  put: (replicas: number | undefined) => Promise<V1Deployment | undefined>,
  { keep, remove, client }: Hands,
): Promise<V1Deployment | undefined> {
  const name = childNames(klingApi.metadata.name)[component];
  const { autoscaling } = klingApi.spec[component];
  const { owned, initial } = ownedReplicas(component, klingApi.spec);
  const replicas = replicasPlan(owned, before, initial);
  // taken back before the number is owned again, put up after it is handed over: the two never write against each other
  if (autoscaling === undefined) await remove('autoscaling/v2', 'HorizontalPodAutoscaler', name);
  if (replicas.handOver) await handOverReplicas(client, klingApi.metadata.namespace, name);
  const live = await put(replicas.apply);
  if (autoscaling !== undefined) await keep(autoscaler(klingApi, component, autoscaling));
  if (wantsDisruptionBudget(live?.spec?.replicas ?? 0)) await keep(disruptionBudget(klingApi, component));
  else await remove('policy/v1', 'PodDisruptionBudget', name);
  return live;
}

/** What is left of it where the workload is another kind. */
export async function removeScaled(klingApi: KlingApi, component: 'mcp' | 'api', { remove }: Hands): Promise<void> {
  const name = childNames(klingApi.metadata.name)[component];
  await remove('autoscaling/v2', 'HorizontalPodAutoscaler', name);
  await remove('policy/v1', 'PodDisruptionBudget', name);
  await remove('apps/v1', 'Deployment', name);
}
