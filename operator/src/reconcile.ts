/**
 * One look at one KlingApi: read, plan, apply, write the status, then act. What is acted on was written down before
 * (`metadata.resourceVersion` in the status apply: a conflict means that someone else is acting, so this look ends).
 */

import type { V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import { act } from './act.ts';
import { keepChildren } from './apply/children.ts';
import { StalledError } from './apply/foreign.ts';
import { keptTemplate } from './apply/revisions.ts';
import { restartedAt, revisionOf } from './children/revision.ts';
import type { Context } from './context.ts';
import { isConflict, isForbidden, isPassing, KubeError } from './kube/errors.ts';
import { handshakeHeaders } from './observe/credentials.ts';
import { missingSecrets } from './observe/secret-references.ts';
import { type LiveWorkloads, workloadState } from './observe/workloads.ts';
import { plan } from './plan.ts';
import { serves } from './remediation/assess.ts';
import type { KlingApi } from './resource/klingapi.ts';
import { childNames } from './resource/names.ts';
import type { Choice } from './rollout/choose.ts';
import { buildStatus } from './status/build.ts';
import type { Finding } from './status/conditions.ts';
import { writeStatus } from './status/write.ts';

export interface Outcome {
  /** Milliseconds until the next look. */
  requeueAfterMs?: number;
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
  const missing = await missingSecrets(klingApi, deps.secrets);
  const internalKey = await deps.secrets.internalKey(klingApi);
  const headers = await handshakeHeaders(klingApi, deps.secrets, internalKey);
  const observations = await deps.observer.observe(klingApi, deps.caches.mcpPods(klingApi), headers);
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
  const acts = await act(klingApi, planned, deps);
  const verification = deps.verifier.follow(klingApi, { plan: planned, revision, workloads, internalKey });
  const status = buildStatus(
    {
      klingApi,
      plan: planned,
      acts,
      verification,
      revision,
      rollout,
      workloads,
      stalled,
      retrying,
      missing,
      observations,
    },
    deps.now(),
  );
  if (!rollingOut && status.revisions?.verified === revision && rollout.kind !== 'Queued')
    deps.turns.done(klingApi.metadata.uid);
  signal.throwIfAborted();
  const written = await writeStatus(deps.client, klingApi, status);
  if (!written) return { requeueAfterMs: BUSY_MS };
  // before the deletion: what is written down has happened, also where the deletion fails and is tried again
  deps.announce(klingApi, status, planned, acts);
  deps.metrics.observe(klingApi, status, planned);
  await acts.afterWrite();

  const waiting = rollout.kind === 'Queued' || missing.api !== null || missing.mcp !== null;
  if (stalled !== null || retrying !== null) return { requeueAfterMs: STALLED_MS };
  const busy =
    acts.busy ||
    planned.steps.some((step) => step.next.kind !== 'Settled') ||
    planned.pods.some((pod) => !pod.ending && !serves(pod));
  const hold = acts.decision.kind === 'Hold' ? acts.decision.until : null;
  return {
    requeueAfterMs: busy
      ? Math.max(BUSY_MS, Math.min(hold === null ? BUSY_MS : hold - deps.now(), 2 * BUSY_MS))
      : waiting
        ? STALLED_MS
        : AT_REST_MS,
  };
}

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
      live: {
        mcp: deps.caches.child('Deployment', namespace, childNames(name).mcp) as V1Deployment | undefined,
        api: deps.caches.child('StatefulSet', namespace, childNames(name).api) as V1StatefulSet | undefined,
        sandbox: deps.caches.child('Deployment', namespace, childNames(name).sandbox) as V1Deployment | undefined,
      },
      ...trouble,
      rollout: { kind: 'Wanted', revision: klingApi.status?.revisions?.current ?? 'none' },
    };
  }
}
