/**
 * The steps of a RolloutRestart or Rollback up to a workload whose pods all serve. Nothing is done here: the template that the
 * children are applied with follows from the status, so what is left to do is to see it taken up.
 */
import type { RepairRecord } from '../resource/status.ts';
import type { AdvanceInput } from './advance.ts';
import { type Assessment, serves } from './assess.ts';
import { type Advanced, has, isOver, REPLACEMENT_MS, settle, WAIT, withStep } from './record.ts';
import { servedFrom } from './restart-pod.ts';
import { at } from './time.ts';

export interface Workload {
  /** Revision of the live template. */
  revision: string | undefined;
  /** Stamp of the live template. */
  restartedAt: string | undefined;
  rollingOut: boolean;
  deadlineSeconds: number;
}

const STEPS = { RolloutRestart: 'RolloutRestarted', Rollback: 'RolledBack' } as const;

/** The record is written, the template is not applied with it yet. */
export const awaitsTemplate = (record: RepairRecord): boolean =>
  record.outcome === undefined &&
  (record.action === 'RolloutRestart' || record.action === 'Rollback') &&
  !has(record, STEPS[record.action]);

/**
 * Whether a restart that was written down may not reach the template any more: it was given up, stopped, or nobody was there to
 * apply it for so long that its reason has to be seen anew. One that was taken up stays.
 */
export const isVoid = (record: RepairRecord, stopped: boolean, now: number): boolean =>
  !has(record, STEPS.RolloutRestart) &&
  (record.outcome !== undefined || stopped || isOver(at(record.startedAt), REPLACEMENT_MS, now));

export function restartAll(
  record: RepairRecord,
  action: keyof typeof STEPS,
  input: Pick<AdvanceInput, 'pods' | 'workload' | 'stopped'>,
  now: number,
): Advanced | undefined {
  const { pods, workload } = input;
  const step = STEPS[action];
  const takenUp =
    action === 'Rollback' ? workload.revision === record.rolledBackTo : workload.restartedAt === record.startedAt;
  if (!takenUp) {
    if (has(record, step))
      return settle(
        withStep(record, 'LeftAlone', now, 'the pods were changed again meanwhile'),
        'NotNeeded',
        pods,
        now,
      );
    if (input.stopped !== undefined)
      return settle(withStep(record, 'LeftAlone', now, input.stopped), 'NotNeeded', pods, now);
    if (!isOver(at(record.startedAt), REPLACEMENT_MS, now)) return { record, next: WAIT };
    return settle(withStep(record, 'NotApplied', now, 'the workload was not changed'), 'Failed', pods, now);
  }
  if (!has(record, step))
    return restartAll(
      withStep(record, step, now, action === 'Rollback' ? `to revision ${record.rolledBackTo}` : undefined),
      action,
      input,
      now,
    );
  if (has(record, 'Serving')) return undefined;

  const isNew = (pod: Assessment): boolean =>
    action === 'Rollback' ? pod.revision === record.rolledBackTo : pod.restartedAt === record.startedAt;
  const alive = pods.filter((pod) => !pod.ending);
  const fresh = alive.filter(isNew).sort((a, b) => b.createdAt - a.createdAt)[0];
  const named =
    fresh === undefined || record.replacement === fresh.pod
      ? record
      : { ...withStep(record, 'ReplacementStarted', now, fresh.pod), replacement: fresh.pod };
  if (fresh !== undefined && !workload.rollingOut && alive.every((pod) => isNew(pod) && serves(pod))) {
    const failingSince = record.evidence.failingSince;
    const unavailable = failingSince === undefined || record.trigger === 'Rollout' ? undefined : failingSince;
    return {
      record: withStep(
        {
          ...named,
          ...(unavailable === undefined
            ? {}
            : { unavailableSeconds: Math.max(0, Math.round((servedFrom(fresh, now) - at(unavailable)) / 100) / 10) }),
        },
        'Serving',
        now,
        `${alive.length} pods serve`,
      ),
      next: { kind: 'Verify' },
    };
  }
  const broken = alive.find((pod) => isNew(pod) && pod.repairable && !pod.starting);
  const failed = (detail: string): Advanced =>
    settle(withStep(named, 'ReplacementFailed', now, detail), 'Failed', pods, now);
  if (broken !== undefined) return failed(`${broken.diagnosis}: ${broken.message}`);
  const lastMove = Math.max(...named.steps.map((entry) => at(entry.at)));
  if (!isOver(lastMove, Math.max(REPLACEMENT_MS, workload.deadlineSeconds * 1_000), now))
    return { record: named, next: WAIT };
  const worst = alive.find((pod) => !serves(pod));
  return failed(worst === undefined ? 'not all pods came' : `${worst.pod}: ${worst.diagnosis}: ${worst.message}`);
}
