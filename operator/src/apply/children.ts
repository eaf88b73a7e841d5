/** Applies every child in order: what pods need first, then the workloads. */
import type { KubernetesObject, V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import { apiStatefulSet } from '../children/api-statefulset.ts';
import { autoscaler } from '../children/autoscaler.ts';
import { dataClaim } from '../children/data-claim.ts';
import { disruptionBudget, wantsDisruptionBudget } from '../children/disruption-budget.ts';
import { mcpDeployment } from '../children/mcp-deployment.ts';
import { networkPolicy } from '../children/network-policy.ts';
import { revisionOf } from '../children/revision.ts';
import { sandboxDeployment } from '../children/sandbox-deployment.ts';
import { service } from '../children/service.ts';
import { serviceAccount } from '../children/service-account.ts';
import type { Context } from '../context.ts';
import { missingSecrets } from '../observe/secret-references.ts';
import type { LiveWorkloads } from '../observe/workloads.ts';
import { mcpReplicas } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames } from '../resource/names.ts';
import type { Choice } from '../rollout/choose.ts';
import { removeChild } from './remove.ts';
import { handOverReplicas, replicasPlan } from './replicas.ts';
import { chosenDeployment, dropOldRevisions, isAsked, revisionToKeep } from './revisions.ts';
import { upstreamStamp } from './upstream-stamp.ts';

type Deps = Pick<Context, 'client' | 'caches' | 'applier' | 'secrets' | 'images' | 'log' | 'operator' | 'turns'>;

/** @throws StalledError for a foreign or refused child; nothing after it is applied */
export async function keepChildren(klingApi: KlingApi, deps: Deps): Promise<{ live: LiveWorkloads; rollout: Choice }> {
  const { namespace, name } = klingApi.metadata;
  const cached = (kind: string, child: string) => deps.caches.child(kind, namespace, child);
  const names = childNames(name);
  const before = cached('Deployment', names.mcp) as V1Deployment | undefined;
  const sandbox = () => cached('Deployment', names.sandbox) as V1Deployment | undefined;
  const { owned, initial } = mcpReplicas(klingApi.spec);
  const replicas = replicasPlan(owned, before, initial);
  const desired = mcpDeployment(klingApi, deps.images, replicas.apply);
  if (klingApi.spec.paused)
    return {
      live: { mcp: before, api: cached('StatefulSet', names.api) as V1StatefulSet | undefined, sandbox: sandbox() },
      rollout: { kind: 'Wanted', revision: revisionOf(before) ?? 'none' },
    };

  const keep = async <T extends KubernetesObject>(desired: T): Promise<T | KubernetesObject> => {
    const live = cached(desired.kind ?? '', desired.metadata?.name ?? '');
    const { object, outcome } = await deps.applier.apply(desired, live, klingApi.metadata);
    if (outcome !== 'Unchanged') {
      deps.log.info(
        { klingapi: name, namespace, kind: desired.kind, child: desired.metadata?.name },
        outcome === 'Created' ? 'Child was created' : 'Child was applied',
      );
    }
    return object;
  };

  const remove = (apiVersion: string, kind: string, child: string): Promise<void> =>
    removeChild(klingApi, { apiVersion, kind, name: child }, deps);

  /** A change that came with the operator waits for its turn. */
  const keepWorkload = <T extends V1Deployment | V1StatefulSet>(wanted: T, live: T | undefined) =>
    live === undefined ||
    isAsked(klingApi, live) ||
    revisionOf(live) === revisionOf(wanted) ||
    deps.turns.take(klingApi)
      ? keep(wanted)
      : live;

  /** What is new in the template would meet the missing Secret: a pod that runs is not replaced by one that cannot start. */
  const keepApi = async (): Promise<KubernetesObject | undefined> => {
    const live = cached('StatefulSet', names.api) as V1StatefulSet | undefined;
    const missing = await missingSecrets(klingApi, deps.secrets);
    if (missing.api !== null && klingApi.spec.api.replicas !== 0) return live;
    const stamp = await upstreamStamp(klingApi, live, internalKey, deps.secrets);
    return keepWorkload(apiStatefulSet(klingApi, deps.images, stamp), live);
  };

  const internalKey = await deps.secrets.ensure(klingApi);
  await keep(serviceAccount(klingApi));
  await keep(dataClaim(klingApi));
  await keep(service(klingApi, 'api'));
  await keep(service(klingApi, 'mcp'));
  if (klingApi.spec.upstream.provider === 'Sandbox') {
    await keep(service(klingApi, 'sandbox'));
    await keepWorkload(sandboxDeployment(klingApi, deps.images), sandbox());
  } else {
    await remove('apps/v1', 'Deployment', names.sandbox);
    await remove('v1', 'Service', names.sandbox);
  }
  for (const component of ['mcp', 'api', 'sandbox'] as const) {
    const wanted = component !== 'sandbox' || klingApi.spec.upstream.provider === 'Sandbox';
    if (wanted && klingApi.spec.networkPolicy.mode === 'Enabled')
      await keep(networkPolicy(klingApi, component, deps.operator));
    else await remove('networking.k8s.io/v1', 'NetworkPolicy', names[component]);
  }
  const api = await keepApi();
  // taken back before the number is owned again, put up after it is handed over: the two never write against each other
  const { autoscaling } = klingApi.spec.mcp;
  if (autoscaling === undefined) await remove('autoscaling/v2', 'HorizontalPodAutoscaler', names.mcp);
  if (before !== undefined && replicas.handOver !== undefined)
    await handOverReplicas(deps.client, before, replicas.handOver);
  const { choice, deployment } = chosenDeployment(klingApi, desired, before, deps);
  // what is about to run is kept first: a rollout that goes wrong must find its way back
  if (deployment !== undefined) await keep(revisionToKeep(klingApi, deployment));
  const live = (deployment === undefined ? before : await keep(deployment)) as V1Deployment | undefined;
  await dropOldRevisions(klingApi, revisionOf(live) ?? '', deps);
  if (autoscaling !== undefined) await keep(autoscaler(klingApi, autoscaling));
  if (wantsDisruptionBudget(live?.spec?.replicas ?? 0)) await keep(disruptionBudget(klingApi));
  else await remove('policy/v1', 'PodDisruptionBudget', names.mcp);
  return { live: { mcp: live, api: api as V1StatefulSet | undefined, sandbox: sandbox() }, rollout: choice };
}
