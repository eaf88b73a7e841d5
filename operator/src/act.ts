/** Carries a decision out: the record first, the deletion only after it is written. */

import type { Context } from './context.ts';
import { isConflict, isNotFound } from './kube/errors.ts';
import { handshakeHeaders } from './observe/credentials.ts';
import type { Acts, Plan } from './plan.ts';
import type { Assessment } from './remediation/assess.ts';
import { afterRepair, repairRequestOf } from './remediation/incident.ts';
import { lastRequestBefore } from './remediation/last-request.ts';
import { beginRepair } from './remediation/record.ts';
import { recurrenceOf } from './remediation/recurrence.ts';
import { logSeconds, matchLog } from './remediation/signatures.ts';
import { type KlingApi, REPAIR_ANNOTATION } from './resource/klingapi.ts';

/** Repairs kept in the status. */
const KEPT = 10;
const HUNG_GRACE_SECONDS = 1;

type Deps = Pick<Context, 'client' | 'caches' | 'observer' | 'secrets' | 'signatures' | 'actor' | 'log' | 'now'>;

export async function act(klingApi: KlingApi, plan: Plan, deps: Deps): Promise<Acts> {
  const total = klingApi.status?.repairsTotal ?? 0;
  const deletions = plan.steps.flatMap(({ record, next }) =>
    next.kind === 'Delete' ? [{ name: record.pod, uid: record.podUid, graceSeconds: next.graceSeconds }] : [],
  );
  const base: Acts = {
    repairs: plan.repairs,
    state: plan.state,
    repairsTotal: total,
    begun: undefined,
    busy: deletions.length > 0,
    afterWrite: async () => {
      for (const pod of deletions) await deletePod(klingApi, pod, deps);
    },
  };
  const now = deps.now();
  if (plan.decision.kind === 'Exhausted') {
    return {
      ...base,
      state: {
        ...plan.state,
        exhaustedSince: new Date(now).toISOString(),
        exhaustedGeneration: klingApi.metadata.generation,
      },
    };
  }
  if (plan.decision.kind !== 'Repair') return base;

  const { pod, trigger } = plan.decision;
  if (!(await confirmed(klingApi, pod, deps))) {
    deps.log.info(
      { klingapi: klingApi.metadata.name, namespace: klingApi.metadata.namespace, pod: pod.pod },
      'Repair was not begun, the pod serves again',
    );
    return { ...base, busy: true };
  }
  const { minHealthySeconds, logExcerpt } = klingApi.spec.remediation;
  const log = await readLog(klingApi, pod, deps);
  const finding = matchLog(log, deps.signatures);
  const diagnosis = finding?.diagnosis ?? pod.diagnosis ?? 'HttpError';
  const lastRequest = logExcerpt === 'None' ? undefined : lastRequestBefore(log);
  const state = afterRepair(plan.state, klingApi.spec.remediation, now);
  const request = repairRequestOf(klingApi.metadata.annotations?.[REPAIR_ANNOTATION]);
  const begun = beginRepair(
    {
      pod,
      pods: plan.pods,
      trigger,
      actor: deps.actor,
      attempt: state.attempt ?? 1,
      diagnosis,
      log: logExcerpt === 'None' ? undefined : finding?.excerpt,
      recurrence: recurrenceOf({ pod, diagnosis, repairs: plan.repairs, minHealthySeconds, lastRequest }, now),
    },
    now,
  );
  const underWay = plan.repairs.filter((record) => record.outcome === undefined);
  const ended = plan.repairs.filter((record) => record.outcome !== undefined);
  return {
    ...base,
    repairs: [begun, ...underWay, ...ended].slice(0, KEPT),
    state: { ...state, ...(request === undefined ? {} : { handledRequest: request }) },
    repairsTotal: total + 1,
    begun,
    busy: true,
    afterWrite: async () => {
      await base.afterWrite();
      await deletePod(
        klingApi,
        { name: pod.pod, uid: pod.uid, graceSeconds: pod.hung ? HUNG_GRACE_SECONDS : undefined },
        deps,
      );
    },
  };
}

/** Looks once more right before acting, so that a pod that came back is left alone. */
async function confirmed(klingApi: KlingApi, pod: Assessment, deps: Deps): Promise<boolean> {
  const live = deps.caches.mcpPods(klingApi).find((entry) => entry.metadata?.uid === pod.uid);
  if (live?.status?.podIP === undefined || live.metadata?.deletionTimestamp !== undefined) return false;
  const headers = await handshakeHeaders(klingApi, deps.secrets, await deps.secrets.internalKey(klingApi));
  return deps.observer.stillFails(klingApi, live.status.podIP, headers);
}

/** The log around the failure; one that cannot be read holds no repair up. */
async function readLog(klingApi: KlingApi, pod: Assessment, deps: Deps): Promise<string> {
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
