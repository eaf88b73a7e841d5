/**
 * One look at one KlingApi: read, plan, apply, write the status, then act. What is acted on was written down before
 * (`metadata.resourceVersion` in the status apply: a conflict means that someone else is acting, so this look ends).
 */

import { act } from './act.ts';
import { keepChildren } from './apply/children.ts';
import { missingKinds } from './apply/exposure.ts';
import { StalledError } from './apply/foreign.ts';
import { keptTemplate } from './apply/revisions.ts';
import { restartedAt, revisionOf } from './children/revision.ts';
import type { Context } from './context.ts';
import { isConflict, isForbidden, isPassing, KubeError } from './kube/errors.ts';
import { handshakeHeaders } from './observe/credentials.ts';
import { missingReferences } from './observe/missing.ts';
import { apiTrouble } from './observe/workload-trouble.ts';
import { type LiveWorkloads, liveWorkloads, workloadState } from './observe/workloads.ts';
import { plan } from './plan.ts';
import { serves } from './remediation/assess.ts';
import { withKubeletRestarts } from './remediation/kubelet-restart.ts';
import type { KlingApi } from './resource/klingapi.ts';
import type { RepairRecord } from './resource/status.ts';
import type { Choice } from './rollout/choose.ts';
import { isTurnOver } from './rollout/turns.ts';
import { buildStatus } from './status/build.ts';
import type { Finding } from './status/conditions.ts';

export interface Outcome {
  /** Milliseconds until the next look. */
  requeueAfterMs?: number;
  /** `low` where that look only asks whether all is still well. */
  priority?: 'high' | 'low';
}

const AT_REST_MS = 30_000;
const BUSY_MS = 1_000;
/** Whatever stands in the way may go any time, often with nothing that would tell. */
const STALLED_MS = 5_000;

/** @param signal aborts when this look took too long or the process ends; each stage asks it before it begins */
export async function reconcile(
  key: { namespace: string; name: string },
  signal: AbortSignal,
  deps: Context,
): Promise<Outcome> {
  const klingApi = deps.caches.klingApi(key.namespace, key.name);
  if (klingApi === undefined || klingApi.metadata.deletionTimestamp !== undefined) {
    deps.metrics.forget(key.namespace, key.name);
    return {};
  }

  const { live, stalled, retrying, rollout } = await children(klingApi, deps);
  signal.throwIfAborted();
  const missing = await missingReferences(klingApi, deps.secrets);
  const internalKey = await deps.secrets.internalKey(klingApi);
  const headers = await handshakeHeaders(klingApi, deps.secrets, internalKey);
  const seen = await deps.observer.observe(klingApi, deps.caches.mcpPods(klingApi), headers);
  const observations = seen.map((pod) => ({
    ...pod,
    missingSecret: missing.mcp?.reason === 'MissingSecret' ? missing.mcp.message : null,
  }));
  signal.throwIfAborted();
  const workloads = workloadState(live);
  const revision = revisionOf(live.mcp) ?? klingApi.status?.revisions?.current ?? rollout.revision;
  const { rollingOut } = workloads.mcp;
  const planned = plan(
    {
      klingApi,
      observations,
      actor: deps.actor,
      takeVerification: (id) => deps.verifier.take(klingApi, id),
      workload: { revision, restartedAt: restartedAt(live.mcp), rollingOut },
      isKept: (kept) => keptTemplate(klingApi, kept, deps) !== undefined,
    },
    deps.now(),
  );
  const acted = await act(klingApi, planned, deps);
  const acts = withKubeletRestarts(klingApi, acted, planned.pods, observations, deps.now());
  const verification = deps.verifier.follow(klingApi, { plan: planned, revision, workloads, internalKey });
  const exposure = deps.exposure.follow(klingApi, {
    verification,
    headers,
    serving: workloads.mcp.ready > 0,
    rollingOut: workloads.mcp.rollingOut,
  });
  const status = buildStatus(
    {
      klingApi,
      plan: planned,
      acts,
      verification,
      exposure,
      revision,
      restartedAt: restartedAt(live.mcp),
      apiTrouble: apiTrouble(
        deps.caches.apiPods(klingApi),
        workloads.api.refused,
        apiMissingSince(klingApi, live, deps.now()),
        deps.now(),
      ),
      rollout,
      workloads,
      stalled,
      retrying,
      missing,
      optionalKinds: missingKinds(klingApi, deps.caches),
      definition: deps.definition.finding(),
      observations,
    },
    deps.now(),
  );
  if (isTurnOver({ ...workloads, revision, verified: status.revisions?.verified, choice: rollout }))
    deps.turns.done(klingApi.metadata.uid);
  signal.throwIfAborted();
  const written = await deps.together(async () => {
    const outcome = await deps.statuses.write(klingApi, status).catch((error: unknown) => {
      // no answer does not mean that nothing was written
      deps.pace.wrote(key);
      throw error;
    });
    if (outcome === 'Overtaken') return outcome;
    if (outcome === 'Written') deps.pace.wrote(key);
    // before the deletion: what is written down has happened, also where the deletion fails and is tried again
    deps.announce(klingApi, status, planned, acts);
    deps.metrics.observe(klingApi, status, planned, workloads);
    await (acts.begun === undefined ? acts.afterWrite() : repair(acts.begun, acts.afterWrite, deps));
    return outcome;
  });
  if (written === 'Overtaken') return { requeueAfterMs: BUSY_MS };

  const waiting = rollout.kind === 'Queued' || missing.api !== null || missing.mcp !== null;
  if (stalled !== null || retrying !== null) return { requeueAfterMs: STALLED_MS };
  const busy =
    acts.busy ||
    planned.steps.some((step) => step.next.kind !== 'Settled') ||
    planned.pods.some((pod) => !pod.ending && !serves(pod)) ||
    // one that the kubelet has not found ready can cease to serve without a change of the pod
    observations.some((pod) => !pod.deleting && !pod.ready.value);
  const hold = acts.decision.kind === 'Hold' ? acts.decision.until : null;
  if (busy)
    return { requeueAfterMs: Math.max(BUSY_MS, Math.min(hold === null ? BUSY_MS : hold - deps.now(), 2 * BUSY_MS)) };
  return waiting ? { requeueAfterMs: STALLED_MS } : { requeueAfterMs: AT_REST_MS, priority: 'low' };
}

/** Since when no API pod is ready, as far as that is known; milliseconds. */
function apiMissingSince({ status }: KlingApi, { api }: LiveWorkloads, now: number): number {
  const before = status?.conditions?.find(({ type }) => type === 'ApiAvailable');
  const made = api?.metadata?.creationTimestamp;
  const lost = before?.status === 'False' ? new Date(before.lastTransitionTime).getTime() : now;
  return Math.max(lost, made === undefined ? now : new Date(made).getTime());
}
const repair = (begun: RepairRecord, act: () => Promise<void>, { trace }: Context): Promise<void> =>
  trace(
    'repair',
    { 'k8s.pod.name': begun.pod, 'klingapi.diagnosis': begun.diagnosis, 'klingapi.repair': begun.id },
    act,
  );

interface Kept {
  live: LiveWorkloads;
  rollout: Choice;
  /** Why children cannot be kept until somebody changes something. */
  stalled: Finding | null;
  /** Why they could not be kept this time. */
  retrying: Finding | null;
}

/**
 * A child that cannot be applied (a webhook that is down, say) must neither silence the status nor hold up a repair.
 * @throws what is no answer about a child: a conflict, a mistake of the program
 */
function troubleOf(error: unknown): Pick<Kept, 'stalled' | 'retrying'> {
  if (error instanceof StalledError) return { stalled: error.finding, retrying: null };
  if (!(error instanceof KubeError) || isConflict(error)) throw error;
  if (isForbidden(error) && !isPassing(error))
    return { stalled: { reason: 'Forbidden', message: error.message }, retrying: null };
  // what the API server says of its troubles changes with every try; the log has it
  const message = `a child could not be applied (${error.code}); it is tried again`;
  return { stalled: null, retrying: { reason: 'ApplyFailed', message } };
}

async function children(klingApi: KlingApi, deps: Context): Promise<Kept> {
  const { namespace, name } = klingApi.metadata;
  try {
    return { ...(await keepChildren(klingApi, deps)), stalled: null, retrying: null };
  } catch (error) {
    const trouble = troubleOf(error);
    deps.log.warn(
      {
        klingapi: name,
        namespace,
        reason: (trouble.stalled ?? trouble.retrying)?.reason,
        message: error instanceof Error ? error.message : String(error),
      },
      'Children could not be kept',
    );
    return {
      live: liveWorkloads(klingApi, deps.caches),
      ...trouble,
      rollout: { kind: 'Wanted', revision: klingApi.status?.revisions?.current ?? 'none' },
    };
  }
}
