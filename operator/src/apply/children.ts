/** Applies every child in order: what pods need first, then the workloads, then what leads to them. */
import type { V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import { apiDeployment } from '../children/api-deployment.ts';
import { apiStatefulSet } from '../children/api-statefulset.ts';
import { dataClaim } from '../children/data-claim.ts';
import { mcpDeployment } from '../children/mcp-deployment.ts';
import { networkPolicy } from '../children/network-policy.ts';
import { revisionOf } from '../children/revision.ts';
import { sandboxDeployment } from '../children/sandbox-deployment.ts';
import { service } from '../children/service.ts';
import { serviceAccount } from '../children/service-account.ts';
import type { Context } from '../context.ts';
import { missingReferences } from '../observe/missing.ts';
import { type LiveWorkloads, liveWorkloads } from '../observe/workloads.ts';
import { apiWorkload, sqliteStorage } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { type Component, childNames } from '../resource/names.ts';
import type { Choice } from '../rollout/choose.ts';
import { keepExposure } from './exposure.ts';
import { handsOf } from './hands.ts';
import { inputStamp } from './input-stamp.ts';
import { chosenDeployment, dropOldRevisions, isAsked, revisionToKeep } from './revisions.ts';
import { keepScaled, removeScaled } from './scaled.ts';

type Deps = Pick<
  Context,
  'client' | 'caches' | 'applier' | 'secrets' | 'images' | 'log' | 'operator' | 'turns' | 'now'
>;

/** @throws StalledError for a foreign or refused child; nothing after it is applied */
export async function keepChildren(klingApi: KlingApi, deps: Deps): Promise<{ live: LiveWorkloads; rollout: Choice }> {
  const { spec } = klingApi;
  const names = childNames(klingApi.metadata.name);
  const before = liveWorkloads(klingApi, deps.caches);
  if (spec.paused) return { live: before, rollout: { kind: 'Wanted', revision: revisionOf(before.mcp) ?? 'none' } };

  const hands = handsOf(klingApi, deps);
  const { keep, remove } = hands;
  const internalKey = await deps.secrets.ensure(klingApi);
  const stamp = (component: Component): Promise<string | undefined> =>
    inputStamp(klingApi, component, before[component]?.spec?.template, internalKey, deps.secrets);

  /** A change that came with the operator waits for its turn. */
  const keepWorkload = async <T extends V1Deployment | V1StatefulSet>(wanted: T, live: T | undefined): Promise<T> =>
    live === undefined ||
    isAsked(klingApi, live) ||
    revisionOf(live) === revisionOf(wanted) ||
    deps.turns.take(klingApi)
      ? keep(wanted)
      : live;

  /** What is new in the template would meet the missing Secret: a pod that runs is not replaced by one that cannot start. */
  const keepApi = async (): Promise<LiveWorkloads['api']> => {
    const postgres = apiWorkload(spec) === 'Deployment';
    if (postgres) await remove('apps/v1', 'StatefulSet', names.api);
    else await removeScaled(klingApi, 'api', hands);
    const missing = await missingReferences(klingApi, deps.secrets);
    if (missing.api !== null && spec.api.replicas !== 0) return before.api;
    const apiStamp = await stamp('api');
    if (!postgres)
      return keepWorkload(apiStatefulSet(klingApi, deps.images, apiStamp), before.api as V1StatefulSet | undefined);
    const live = before.api as V1Deployment | undefined;
    return keepScaled(
      klingApi,
      'api',
      live,
      (replicas) => keepWorkload(apiDeployment(klingApi, deps.images, replicas, apiStamp), live),
      hands,
    );
  };

  let rollout: Choice = { kind: 'Wanted', revision: 'none' };
  const keepMcp = async (replicas: number | undefined): Promise<V1Deployment | undefined> => {
    const desired = mcpDeployment(klingApi, deps.images, replicas, await stamp('mcp'));
    const { choice, deployment } = chosenDeployment(klingApi, desired, before.mcp, deps);
    rollout = choice;
    // what is about to run is kept first: a rollout that goes wrong must find its way back
    if (deployment !== undefined) await keep(revisionToKeep(klingApi, deployment));
    const live = deployment === undefined ? before.mcp : await keep(deployment);
    await dropOldRevisions(klingApi, revisionOf(live) ?? '', deps);
    return live;
  };

  await keep(serviceAccount(klingApi));
  const sqlite = sqliteStorage(spec);
  if (sqlite !== undefined) await keep(dataClaim(klingApi, sqlite));
  else await remove('v1', 'PersistentVolumeClaim', names.dataClaim);
  await keep(service(klingApi, 'api'));
  await keep(service(klingApi, 'mcp'));
  const sandbox = spec.upstream.provider === 'Sandbox';
  if (sandbox) {
    await keep(service(klingApi, 'sandbox'));
    await keepWorkload(sandboxDeployment(klingApi, deps.images, await stamp('sandbox')), before.sandbox);
  } else {
    await remove('apps/v1', 'Deployment', names.sandbox);
    await remove('v1', 'Service', names.sandbox);
  }
  for (const component of ['mcp', 'api', 'sandbox'] as const) {
    const wanted = component !== 'sandbox' || sandbox;
    if (wanted && spec.networkPolicy.mode === 'Enabled') await keep(networkPolicy(klingApi, component, deps.operator));
    else await remove('networking.k8s.io/v1', 'NetworkPolicy', names[component]);
  }
  const api = await keepApi();
  const mcp = await keepScaled(klingApi, 'mcp', before.mcp, keepMcp, hands);
  await keepExposure(klingApi, hands, deps.caches);
  return { live: { mcp, api, sandbox: before.sandbox }, rollout };
}
