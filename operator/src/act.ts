/**
 * Carries a decision out: the record first, the deletion only after it is written. What moves all pods is not done here: the next
 * look applies the template that follows from the status.
 */

import type { Context } from './context.ts';
import { isConflict, isNotFound } from './kube/errors.ts';
import { handshakeHeaders } from './observe/credentials.ts';
import type { Acts, Plan } from './plan.ts';
import type { Repair } from './remediation/decide.ts';
import { givenUp } from './remediation/incident.ts';
import { logSeconds, matchLog } from './remediation/signatures.ts';
import { fromInside } from './remediation/storm.ts';
import { writeDown } from './remediation/write-down.ts';
import type { KlingApi } from './resource/klingapi.ts';

const HUNG_GRACE_SECONDS = 1;

type Deps = Pick<
  Context,
  'client' | 'caches' | 'observer' | 'secrets' | 'signatures' | 'actor' | 'log' | 'now' | 'storm'
>;

export async function act(klingApi: KlingApi, plan: Plan, deps: Deps): Promise<Acts> {
  const total = klingApi.status?.repairsTotal ?? 0;
  const deletions = plan.steps.flatMap(({ record, next }) =>
    next.kind === 'Delete' ? [{ name: record.pod, uid: record.podUid, graceSeconds: next.graceSeconds }] : [],
  );
  const base: Acts = {
    repairs: plan.repairs,
    state: plan.state,
    repairsTotal: total,
    decision: plan.decision,
    restartedAt: undefined,
    rejected: undefined,
    begun: undefined,
    busy: deletions.length > 0,
    afterWrite: async () => {
      for (const pod of deletions) await deletePod(klingApi, pod, deps);
    },
  };
  const now = deps.now();
  if (plan.decision.kind === 'Exhausted')
    return { ...base, state: givenUp(plan.state, plan.decision.cause, klingApi.metadata.generation, now) };
  if (plan.decision.kind !== 'Repair') return base;

  const repair = plan.decision;
  const { pod } = repair;
  if (!(await confirmed(klingApi, repair, deps))) {
    deps.log.info(
      { klingapi: klingApi.metadata.name, namespace: klingApi.metadata.namespace, pod: pod.pod },
      'Repair was not begun, the pod serves again',
    );
    return { ...base, decision: { kind: 'Nothing' }, busy: true };
  }
  const log = await readLog(klingApi, pod, deps);
  const finding = matchLog(log, deps.signatures);
  const storm =
    repair.trigger === 'Handshake' && !fromInside(pod, finding !== undefined)
      ? deps.storm(pod.failingSince ?? now)
      : null;
  if (storm !== null) {
    const message = `${repair.message}; not repaired, because ${storm}`;
    return { ...base, decision: { kind: 'Hold', reason: 'StormActive', message, until: null } };
  }
  const written = writeDown({ klingApi, plan, repair, actor: deps.actor, log, finding }, now);
  return {
    ...base,
    ...written,
    busy: true,
    afterWrite: async () => {
      await base.afterWrite();
      if (repair.action !== 'RestartPod') return;
      await deletePod(
        klingApi,
        { name: pod.pod, uid: pod.uid, graceSeconds: pod.hung ? HUNG_GRACE_SECONDS : undefined },
        deps,
      );
    },
  };
}

/** Looks once more right before acting, so that a pod that came back is left alone. */
async function confirmed(klingApi: KlingApi, { pod }: Repair, deps: Deps): Promise<boolean> {
  // a container that does not run answers no handshake
  if (!pod.repairable) return true;
  const live = deps.caches.mcpPods(klingApi).find((entry) => entry.metadata?.uid === pod.uid);
  if (live?.status?.podIP === undefined || live.metadata?.deletionTimestamp !== undefined) return false;
  const headers = await handshakeHeaders(klingApi, deps.secrets, await deps.secrets.internalKey(klingApi));
  return deps.observer.stillFails(klingApi, live.status.podIP, headers);
}

/** The log around the failure; one that cannot be read holds no repair up. */
async function readLog(klingApi: KlingApi, pod: Repair['pod'], deps: Deps): Promise<string> {
  try {
    return await deps.client.podLog({
      namespace: klingApi.metadata.namespace,
      pod: pod.pod,
      container: 'mcp',
      sinceSeconds: logSeconds(pod.failingSince, deps.now()),
      tailLines: 2_000,
      limitBytes: 524_288,
    });
  } catch (error) {
    deps.log.warn(
      { klingapi: klingApi.metadata.name, namespace: klingApi.metadata.namespace, pod: pod.pod, error: String(error) },
      'Log could not be read',
    );
    return '';
  }
}

async function deletePod(
  klingApi: KlingApi,
  pod: { name: string; uid: string; graceSeconds: number | undefined },
  deps: Deps,
): Promise<void> {
  const { namespace, name } = klingApi.metadata;
  try {
    await deps.client.delete(
      { apiVersion: 'v1', kind: 'Pod', namespace, name: pod.name },
      { uid: pod.uid, ...(pod.graceSeconds === undefined ? {} : { gracePeriodSeconds: pod.graceSeconds }) },
    );
    deps.log.info({ klingapi: name, namespace, pod: pod.name, uid: pod.uid }, 'Pod was deleted');
  } catch (error) {
    // gone already, or another pod of that name: either way there is nothing left to delete
    if (!isNotFound(error) && !isConflict(error)) throw error;
    deps.log.info({ klingapi: name, namespace, pod: pod.name, uid: pod.uid }, 'Pod was gone already');
  }
}
