/** The remediation state from one look to the next: incident, budget window, exhaustion and how it clears. */
import type { Policy } from '../resource/spec.ts';
import type { RemediationStatus } from '../resource/status.ts';
import { printable } from '../status/printable.ts';
import { type Assessment, serves } from './assess.ts';
import type { Repair } from './decide.ts';
import { at, iso } from './time.ts';

export interface Request {
  generation: number;
  /** Value of the annotation klingapi.dev/repair, if any, as `repairRequestOf` gives it. */
  repairRequest: string | undefined;
}

/** Bounds of the status: what goes past them would be refused, and with it everything after it. */
const MOST = { attempts: 1_000, pods: 128, request: 256 } as const;

/**
 * The annotation klingapi.dev/repair as the status can hold it: what is compared later has to be what was stored, or an old
 * request looks new for ever and no budget holds.
 */
export const repairRequestOf = (annotation: string | undefined): string | undefined =>
  annotation === undefined ? undefined : printable(annotation.slice(0, MOST.request));

/** Times ahead of the clock, which was set back since, count as now: no wait gets longer by them, and no repair is forgotten. */
const notAhead = (time: string, latest: number): string => (at(time) > latest ? iso(latest) : time);

/**
 * An incident begins with the first failed handshake and ends when all pods have served for `minHealthySeconds`.
 * Exhaustion clears with that, with a new generation, or with a new value of the repair annotation; never by time alone.
 */
export function nextState(
  previous: RemediationStatus,
  pods: Assessment[],
  policy: Policy,
  request: Request,
  now: number,
): RemediationStatus {
  const alive = pods.filter((pod) => !pod.ending);
  const serving = alive.length > 0 && alive.every(serves);
  const failing = alive.filter((pod) => pod.repairable);
  const since = failing.reduce((first, pod) => Math.min(first, pod.failingSince ?? now), Number.POSITIVE_INFINITY);

  const next: RemediationStatus = { ...previous };
  if (next.servingSince !== undefined) next.servingSince = notAhead(next.servingSince, now);
  if (next.nextAllowedAt !== undefined)
    next.nextAllowedAt = notAhead(next.nextAllowedAt, now + policy.backoff.maxSeconds * 1_000);
  if (failing.length > 0 && next.incident === undefined) next.incident = iso(Math.min(since, now));

  if (!serving || next.incident === undefined) delete next.servingSince;
  else next.servingSince ??= iso(now);
  const calm = next.servingSince !== undefined && now - at(next.servingSince) >= policy.minHealthySeconds * 1_000;

  const freshGeneration = next.exhaustedSince !== undefined && (next.exhaustedGeneration ?? 0) < request.generation;
  const freshRequest =
    next.exhaustedSince !== undefined &&
    request.repairRequest !== undefined &&
    request.repairRequest !== next.handledRequest;
  if (calm || freshGeneration || freshRequest) {
    delete next.exhaustedSince;
    delete next.exhaustedGeneration;
    delete next.exhaustedReason;
    // else a ladder without an answer would be given up on, and cleared, with every look
    if (freshRequest) next.handledRequest = request.repairRequest;
    delete next.nextAllowedAt;
    delete next.attempt;
    delete next.rung;
    delete next.failedAttempts;
    if (calm) {
      delete next.incident;
      delete next.servingSince;
    } else {
      // whoever clears it by hand gets a whole budget and the whole ladder again
      delete next.recent;
      if (next.incident !== undefined) next.incident = iso(now);
    }
  }
  const recent = (next.recent ?? [])
    .map((time) => notAhead(time, now))
    .filter((time) => now - at(time) < policy.budget.windowSeconds * 1_000);
  if (recent.length > 0) next.recent = recent;
  else delete next.recent;

  const silent = alive.filter(
    (pod) => pod.repairable && pod.evidence.observer === 'Operator' && pod.failingSince !== null,
  );
  if (silent.length === 0) delete next.failingSince;
  else {
    const known = new Map((previous.failingSince ?? []).map((entry) => [entry.pod, entry.at]));
    next.failingSince = silent
      .slice(0, MOST.pods)
      .map((pod) => ({ pod: pod.pod, at: known.get(pod.pod) ?? iso(pod.failingSince ?? now) }));
  }
  // asked for while all is well: else it would be acted on at some first failed handshake, weeks later
  if (serving && next.incident === undefined && request.repairRequest !== undefined)
    next.handledRequest = request.repairRequest;
  return next;
}

/** The state after a repair was recorded. */
export function afterRepair(
  state: RemediationStatus,
  policy: Policy,
  repair: Pick<Repair, 'action' | 'failedAttempts' | 'trigger'>,
  now: number,
): RemediationStatus {
  // a revision that never served is taken back without being part of any incident, and costs no repair
  if (repair.trigger === 'Rollout') return state;
  const attempt = Math.min((state.attempt ?? 0) + 1, MOST.attempts);
  const wait = Math.min(policy.backoff.initialSeconds * 2 ** (attempt - 1), policy.backoff.maxSeconds);
  const { servingSince: _, ...rest } = state;
  return {
    ...rest,
    incident: state.incident ?? iso(now),
    attempt,
    rung: repair.action,
    failedAttempts: repair.failedAttempts,
    nextAllowedAt: iso(now + wait * 1_000),
    recent: [...(state.recent ?? []), iso(now)],
  };
}

/** The state once no more repairs are made. */
export const givenUp = (
  state: RemediationStatus,
  cause: NonNullable<RemediationStatus['exhaustedReason']>,
  generation: number,
  now: number,
): RemediationStatus => ({
  ...state,
  exhaustedSince: iso(now),
  exhaustedReason: cause,
  exhaustedGeneration: generation,
});
