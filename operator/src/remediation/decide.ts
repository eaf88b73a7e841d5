/** Whether to repair now. Returns what to do and, for everything left undone, the reason that condition, Event and log repeat. */
import { concurrentRepairs } from '../resource/absent.ts';
import type { HandshakePolicy, Policy, Rung } from '../resource/spec.ts';
import type { RemediationStatus, RepairRecord } from '../resource/status.ts';
import type { Judgement } from '../rollout/judge.ts';
import type { Assessment } from './assess.ts';
import { failedRepair, nextStep } from './ladder.ts';
import { at } from './time.ts';

export interface DecideInput {
  pods: Assessment[];
  policy: Policy;
  handshake: Pick<HandshakePolicy, 'failureThreshold'>;
  paused: boolean;
  state: RemediationStatus;
  repairs: RepairRecord[];
  /** New value of the annotation klingapi.dev/repair that nobody acted on yet. */
  repairRequest: string | undefined;
  /** What the rollout of the applied revision comes to. */
  judgement: Judgement;
  /** Revision that is applied. */
  current: string;
  /** The verified revision, where another one is applied and its template is kept. */
  rollbackTo: string | undefined;
}

/** One repair to be made. */
export interface Repair {
  pod: Assessment;
  action: Rung;
  trigger: RepairRecord['trigger'];
  /** Failed attempts on this rung so far. */
  failedAttempts: number;
  /** For a rollback: where to. */
  rollbackTo?: string;
  reason: string;
  message: string;
}

export type Decision =
  | ({ kind: 'Repair' } & Repair)
  | { kind: 'WouldRepair'; pod: Assessment; reason: string; message: string }
  | { kind: 'Exhausted'; cause: 'BudgetSpent' | 'LadderSpent'; reason: string; message: string }
  /** @property until milliseconds since the epoch at which to look again; null where an event will tell */
  | { kind: 'Hold'; reason: string; message: string; until: number | null }
  | { kind: 'Nothing' };

/** As many records as the status keeps: one more would push out a repair that is not over. */
const MOST_UNDER_WAY = 10;

/** Milliseconds until a failing pod has failed often and long enough; 0 when it has. */
function unripeFor(pod: Assessment, input: DecideInput, now: number): number {
  const since = pod.failingSince ?? now;
  const wait = since + input.policy.unhealthySeconds * 1_000 - now;
  // the count grows with the handshakes; look again soon
  return Math.max(wait, pod.failures >= input.handshake.failureThreshold ? 0 : 1_000, 0);
}

const describe = (pod: Assessment, now: number): string =>
  `${pod.pod} failed ${pod.failures} handshakes in ${Math.round((now - (pod.failingSince ?? now)) / 1_000)} s: ${pod.diagnosis}: ${pod.message}`;

/** What the policy says against any repair. */
function held(input: DecideInput): { reason: string; why: string } | undefined {
  if (input.paused) return { reason: 'Paused', why: 'spec.paused is true' };
  return input.policy.mode === 'Off' ? { reason: 'RemediationOff', why: 'spec.remediation.mode is Off' } : undefined;
}

const DOES: Record<Rung, (repair: Repair) => string> = {
  RestartPod: ({ pod }) => `delete pod ${pod.pod}`,
  RolloutRestart: () => 'restart all MCP pods',
  Rollback: ({ rollbackTo }) => `go back to revision ${rollbackTo}`,
};

/** A repair that is due, as the policy lets it through. */
function allowed(repair: Repair, input: DecideInput): Decision {
  const stop = held(input);
  if (stop !== undefined)
    return {
      kind: 'Hold',
      reason: stop.reason,
      message: `${repair.message}; not repaired, because ${stop.why}`,
      until: null,
    };
  if (input.policy.mode !== 'DryRun') return { kind: 'Repair', ...repair };
  const { pod, reason, message } = repair;
  return { kind: 'WouldRepair', pod, reason, message: `Would ${DOES[repair.action](repair)}: ${message}` };
}

function rejected(judgement: Extract<Judgement, { kind: 'Rejected' }>, input: DecideInput): Decision {
  const { pod, reason, message, verified } = judgement;
  const busy = input.repairs.find((repair) => repair.outcome === undefined);
  if (busy !== undefined)
    return {
      kind: 'Hold',
      reason: 'RepairUnderWay',
      message: `${message}; waits for the repair of ${busy.pod}`,
      until: null,
    };
  const failedAttempts = input.state.failedAttempts ?? 0;
  return allowed(
    { pod, action: 'Rollback', trigger: 'Rollout', failedAttempts, rollbackTo: verified, reason, message },
    input,
  );
}

/** @param now milliseconds since the epoch */
export function decide(input: DecideInput, now: number): Decision {
  const { policy, state, judgement } = input;
  if (judgement.kind === 'Rejected') return rejected(judgement, input);
  const onTrial = (pod: Assessment): boolean => judgement.kind === 'OnTrial' && pod.revision === input.current;
  const failing = input.pods.filter((pod) => pod.repairable && !pod.ending && !pod.starting && !onTrial(pod));
  const requested =
    input.repairRequest === undefined
      ? undefined
      : input.pods.find((pod) => !pod.ending && !pod.starting && pod.verdict !== 'Serving');
  const ripe = failing
    .filter((pod) => unripeFor(pod, input, now) === 0)
    .sort((a, b) => (a.failingSince ?? now) - (b.failingSince ?? now));
  // a restart of all pods made some that fail again: what comes next is theirs to say, not that of the older ones
  const rung = state.rung ?? policy.ladder[0];
  const again =
    rung === undefined || rung === 'RestartPod'
      ? undefined
      : failing.find((pod) => failedRepair(pod, rung, { state, repairs: input.repairs, policy }, now) !== undefined);
  const target =
    ripe.find((pod) => pod === again) ??
    (again === undefined ? ripe[0] : undefined) ??
    (requested?.repairable ? requested : undefined);
  if (target === undefined) {
    if (failing.length === 0) {
      return judgement.kind === 'OnTrial' && input.pods.some((pod) => onTrial(pod) && pod.repairable)
        ? { kind: 'Hold', reason: 'OnTrial', message: judgement.message, until: judgement.until }
        : { kind: 'Nothing' };
    }
    const waiting = again === undefined ? failing : [again];
    const wait = Math.min(...waiting.map((pod) => unripeFor(pod, input, now)));
    return {
      kind: 'Hold',
      reason: 'HandshakeFailing',
      message: failing.map((pod) => describe(pod, now)).join('; '),
      until: now + wait,
    };
  }
  const message = describe(target, now);
  const reason = target.diagnosis ?? 'HandshakeFailing';
  const hold = (why: string, because: string, until: number | null = null): Decision => ({
    kind: 'Hold',
    reason: why,
    message: `${message}; ${because}`,
    until,
  });
  const recent = (state.recent ?? []).filter((time) => now - at(time) < policy.budget.windowSeconds * 1_000);
  const left = policy.budget.repairs - recent.length;
  const step = nextStep(
    {
      target,
      policy,
      state,
      repairs: input.repairs,
      rollbackTo: input.rollbackTo,
      many: left > 0 && failing.length > left,
    },
    now,
  );
  const trigger = ripe.length === 0 || input.repairRequest !== undefined ? 'Request' : 'Handshake';
  const repair: Repair = {
    pod: target,
    action: step?.rung ?? 'RestartPod',
    trigger,
    failedAttempts: step?.failedAttempts ?? 0,
    ...(step?.rung === 'Rollback' && input.rollbackTo !== undefined ? { rollbackTo: input.rollbackTo } : {}),
    reason,
    message,
  };
  const permitted = allowed(repair, input);
  if (permitted.kind !== 'Repair') return permitted;

  if (state.exhaustedSince !== undefined)
    return hold('RemediationExhausted', `not repaired, no repair is made since ${state.exhaustedSince}`);
  const underWay = input.repairs.filter((entry) => entry.outcome === undefined);
  const alive = input.pods.filter((pod) => !pod.ending).length;
  // what moves all pods waits for every other repair, and every other repair for it
  const alone = repair.action !== 'RestartPod' || underWay.some((entry) => entry.action !== 'RestartPod');
  const most = alone ? 1 : Math.min(concurrentRepairs(policy.maxConcurrentRepairs, alive), MOST_UNDER_WAY);
  if (underWay.length >= most)
    return hold('RepairUnderWay', `waits for the repair of ${underWay.map((entry) => entry.pod).join(', ')}`);
  if (underWay.some((entry) => entry.podUid === target.uid)) return { kind: 'Nothing' };
  const ways = 'no more are made until the spec changes or the annotation klingapi.dev/repair gets a new value';
  const exhausted = (cause: 'BudgetSpent' | 'LadderSpent', why: string): Decision => ({
    kind: 'Exhausted',
    cause,
    reason: 'RemediationExhausted',
    message: `${message}; ${why}, so ${ways}`,
  });
  if (left <= 0)
    return exhausted('BudgetSpent', `${recent.length} repairs in ${policy.budget.windowSeconds} s did not help`);
  if (step === undefined) return exhausted('LadderSpent', `the last of ${policy.ladder.join(', ')} did not help`);
  if (state.nextAllowedAt !== undefined && now < at(state.nextAllowedAt) && trigger === 'Handshake')
    return hold('BackingOff', `next repair at ${state.nextAllowedAt}`, at(state.nextAllowedAt));
  return permitted;
}
