/**
 * Which rung of the ladder the next repair uses. A rung is left when what it did has not lasted: a pod that it made failed again
 * before `minHealthySeconds`, twice for RestartPod, once for the others. A pod that no repair made stays on the rung of its incident.
 */
import type { Policy, Rung } from '../resource/spec.ts';
import type { RemediationStatus, RepairRecord } from '../resource/status.ts';
import type { Assessment } from './assess.ts';
import { at } from './time.ts';

/** Failed attempts after which a rung is left. */
const ATTEMPTS: Record<Rung, number> = { RestartPod: 2, RolloutRestart: 1, Rollback: 1 };
const MOST_ATTEMPTS = 1_000;

export interface LadderInput {
  target: Assessment;
  policy: Pick<Policy, 'ladder' | 'minHealthySeconds'>;
  state: RemediationStatus;
  /** Newest first. */
  repairs: RepairRecord[];
  /** The verified revision, where another one is applied and its template is kept. */
  rollbackTo: string | undefined;
  /** More pods fail together than the budget has repairs left. */
  many: boolean;
}

export interface Step {
  rung: Rung;
  failedAttempts: number;
}

const made = (record: RepairRecord, pod: Assessment): boolean => {
  if (record.action === 'RestartPod') return record.replacement === pod.pod;
  if (record.action === 'RolloutRestart') return pod.restartedAt === record.startedAt;
  return record.action === 'Rollback' && pod.revision === record.rolledBackTo;
};

const inIncident = (record: RepairRecord, state: RemediationStatus): boolean =>
  record.outcome !== undefined && state.incident !== undefined && at(record.startedAt) >= at(state.incident);

/** The repair on this rung, in this incident, that made the pod, unless the pod served long enough since. */
export function failedRepair(
  pod: Assessment,
  rung: Rung,
  { state, repairs, policy }: Pick<LadderInput, 'state' | 'repairs' | 'policy'>,
  now: number,
): RepairRecord | undefined {
  const record = repairs.find((entry) => entry.action === rung && inIncident(entry, state) && made(entry, pod));
  const servedAt = record?.steps.findLast((step) => step.name === 'Serving')?.at;
  if (record === undefined || servedAt === undefined) return record;
  return (pod.failingSince ?? now) - at(servedAt) < policy.minHealthySeconds * 1_000 ? record : undefined;
}

/** @returns undefined where the last rung did not help either */
export function nextStep(input: LadderInput, now: number): Step | undefined {
  const { policy, state, target, rollbackTo, many } = input;
  const { ladder } = policy;
  let index = Math.max(0, state.rung === undefined ? 0 : ladder.indexOf(state.rung));
  let failedAttempts = state.failedAttempts ?? 0;
  const leave = (): void => {
    index += 1;
    failedAttempts = 0;
  };
  const current = ladder[index];
  if (current !== undefined && failedRepair(target, current, input, now) !== undefined) {
    failedAttempts = Math.min(failedAttempts + 1, MOST_ATTEMPTS);
    if (failedAttempts >= ATTEMPTS[current]) leave();
  }
  if (many && ladder[index] === 'RestartPod' && ladder.includes('RolloutRestart')) {
    index = ladder.indexOf('RolloutRestart');
    failedAttempts = 0;
  }
  while (ladder[index] === 'Rollback' && rollbackTo === undefined) leave();
  const rung = ladder[index];
  return rung === undefined ? undefined : { rung, failedAttempts };
}
