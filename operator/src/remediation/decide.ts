/** Whether to repair now. Returns what to do and, for everything left undone, the reason that condition, Event and log repeat. */
import { concurrentRepairs } from '../resource/absent.ts';
import type { HandshakePolicy, Policy } from '../resource/spec.ts';
import type { RemediationStatus, RepairRecord } from '../resource/status.ts';
import type { Assessment } from './assess.ts';

export interface DecideInput {
  pods: Assessment[];
  policy: Policy;
  handshake: Pick<HandshakePolicy, 'failureThreshold'>;
  paused: boolean;
  state: RemediationStatus;
  repairs: RepairRecord[];
  /** New value of the annotation klingapi.dev/repair that nobody acted on yet. */
  repairRequest: string | undefined;
}

export type Decision =
  | { kind: 'Repair'; pod: Assessment; trigger: RepairRecord['trigger']; reason: string; message: string }
  | { kind: 'WouldRepair'; pod: Assessment; reason: string; message: string }
  | { kind: 'Exhausted'; reason: string; message: string }
  /** @property until milliseconds since the epoch at which to look again; null where an event will tell */
  | { kind: 'Hold'; reason: string; message: string; until: number | null }
  | { kind: 'Nothing' };

/** As many records as the status keeps: one more would push out a repair that is not over. */
const MOST_UNDER_WAY = 10;

const at = (time: string): number => new Date(time).getTime();

/** Milliseconds until a failing pod has failed often and long enough; 0 when it has. */
function unripeFor(pod: Assessment, input: DecideInput, now: number): number {
  const since = pod.failingSince ?? now;
  const wait = since + input.policy.unhealthySeconds * 1_000 - now;
  // the count grows with the handshakes; look again soon
  return Math.max(wait, pod.failures >= input.handshake.failureThreshold ? 0 : 1_000, 0);
}

const describe = (pod: Assessment, now: number): string =>
  `${pod.pod} failed ${pod.failures} handshakes in ${Math.round((now - (pod.failingSince ?? now)) / 1_000)} s: ${pod.diagnosis}: ${pod.message}`;

/** @param now milliseconds since the epoch */
export function decide(input: DecideInput, now: number): Decision {
  const { policy, state } = input;
  const failing = input.pods.filter((pod) => pod.repairable && !pod.ending && !pod.starting);
  const requested =
    input.repairRequest === undefined
      ? undefined
      : input.pods.find((pod) => !pod.ending && !pod.starting && pod.verdict !== 'Serving');
  const ripe = failing
    .filter((pod) => unripeFor(pod, input, now) === 0)
    .sort((a, b) => (a.failingSince ?? now) - (b.failingSince ?? now));
  const target = ripe[0] ?? (requested?.repairable ? requested : undefined);
  if (target === undefined) {
    if (failing.length === 0) return { kind: 'Nothing' };
    const wait = Math.min(...failing.map((pod) => unripeFor(pod, input, now)));
    return {
      kind: 'Hold',
      reason: 'HandshakeFailing',
      message: failing.map((pod) => describe(pod, now)).join('; '),
      until: now + wait,
    };
  }
  const message = describe(target, now);
  const reason = target.diagnosis ?? 'HandshakeFailing';
  if (input.paused)
    return {
      kind: 'Hold',
      reason: 'Paused',
      message: `${message}; not repaired, because spec.paused is true`,
      until: null,
    };
  if (policy.mode === 'Off')
    return {
      kind: 'Hold',
      reason: 'RemediationOff',
      message: `${message}; not repaired, because spec.remediation.mode is Off`,
      until: null,
    };
  if (policy.mode === 'DryRun')
    return { kind: 'WouldRepair', pod: target, reason, message: `Would delete pod ${message}` };

  if (state.exhaustedSince !== undefined) {
    return {
      kind: 'Hold',
      reason: 'RemediationExhausted',
      message: `${message}; not repaired, the budget is spent since ${state.exhaustedSince}`,
      until: null,
    };
  }
  const underWay = input.repairs.filter((repair) => repair.outcome === undefined);
  const alive = input.pods.filter((pod) => !pod.ending).length;
  if (underWay.length >= Math.min(concurrentRepairs(policy.maxConcurrentRepairs, alive), MOST_UNDER_WAY)) {
    return {
      kind: 'Hold',
      reason: 'RepairUnderWay',
      message: `${message}; waits for the repair of ${underWay.map((repair) => repair.pod).join(', ')}`,
      until: null,
    };
  }
  if (underWay.some((repair) => repair.podUid === target.uid)) return { kind: 'Nothing' };
  const recent = (state.recent ?? []).filter((time) => now - at(time) < policy.budget.windowSeconds * 1_000);
  if (recent.length >= policy.budget.repairs) {
    return {
      kind: 'Exhausted',
      reason: 'RemediationExhausted',
      message: `${message}; ${recent.length} repairs in ${policy.budget.windowSeconds} s did not help, so no more are made until the spec changes or the annotation klingapi.dev/repair gets a new value`,
    };
  }
  const trigger = ripe.length === 0 || input.repairRequest !== undefined ? 'Request' : 'Handshake';
  if (state.nextAllowedAt !== undefined && now < at(state.nextAllowedAt) && trigger === 'Handshake') {
    return {
      kind: 'Hold',
      reason: 'BackingOff',
      message: `${message}; next repair at ${state.nextAllowedAt}`,
      until: at(state.nextAllowedAt),
    };
  }
  return { kind: 'Repair', pod: target, trigger, reason, message };
}
