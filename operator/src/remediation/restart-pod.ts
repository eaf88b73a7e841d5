/** The steps of a RestartPod up to a pod that serves in place of the broken one. */
import type { RepairRecord } from '../resource/status.ts';
import type { AdvanceInput } from './advance.ts';
import { type Assessment, serves } from './assess.ts';
import { type Advanced, cameAfter, has, isOver, REPLACEMENT_MS, settle, WAIT, withStep } from './record.ts';
import { at } from './time.ts';

/** A replacement that serves for longer than this was not watched when it began to: the operator was down, or paused. */
const UNWATCHED_MS = 60_000;

export function restartPod(record: RepairRecord, input: AdvanceInput, now: number): Advanced | undefined {
  const { pods, graceSeconds, stopped, taken } = input;
  const broken = pods.find((pod) => pod.uid === record.podUid);
  if (!has(record, 'PodDeleted')) {
    if (broken === undefined || broken.ending)
      return restartPod(withStep(record, 'PodDeleted', now, record.pod), input, now);
    if (serves(broken))
      return settle(
        withStep(record, 'ServingAgain', now, 'it served again before anything was done'),
        'NotNeeded',
        pods,
        now,
      );
    if (stopped !== undefined) return settle(withStep(record, 'LeftAlone', now, stopped), 'NotNeeded', pods, now);
    if (!broken.repairable) return spared(record, broken, pods, now);
    return { record, next: { kind: 'Delete', graceSeconds: broken.hung ? 1 : undefined } };
  }

  if (!has(record, 'Serving')) {
    const fresh = pods
      .filter((pod) => cameAfter(record, pod) && !taken.has(pod.pod))
      .sort((a, b) => b.createdAt - a.createdAt)[0];
    const named =
      fresh === undefined || record.replacement === fresh.pod
        ? record
        : { ...withStep(record, 'ReplacementStarted', now, fresh.pod), replacement: fresh.pod };
    if (fresh !== undefined && serves(fresh)) {
      const failingSince = record.evidence.failingSince;
      const recovered = withStep(
        {
          ...named,
          ...(failingSince === undefined
            ? {}
            : // the clock may have been set back since
              { unavailableSeconds: Math.max(0, Math.round((servedFrom(fresh, now) - at(failingSince)) / 100) / 10) }),
        },
        'Serving',
        now,
        fresh.message,
      );
      return { record: recovered, next: { kind: 'Verify' } };
    }
    if (fresh?.repairable === true && !fresh.starting) {
      return settle(
        withStep(named, 'ReplacementFailed', now, `${fresh.diagnosis}: ${fresh.message}`),
        'Failed',
        pods,
        now,
      );
    }
    if (isOver(at(record.startedAt), Math.max(REPLACEMENT_MS, graceSeconds * 1_000 * 2), now)) {
      return settle(
        withStep(
          named,
          'ReplacementFailed',
          now,
          fresh === undefined ? 'no new pod came' : `${fresh.diagnosis}: ${fresh.message}`,
        ),
        'Failed',
        pods,
        now,
      );
    }
    return { record: named, next: WAIT };
  }
  return undefined;
}

/** Since when the replacement serves; the kubelet knows where nobody looked for long. */
export function servedFrom(fresh: Assessment, now: number): number {
  const { readySince } = fresh;
  return readySince !== null && isOver(readySince, UNWATCHED_MS, now) ? Math.min(readySince, now) : now;
}

/** The record is written, its pod is not deleted yet. */
export const awaitsDeletion = (record: RepairRecord, pods: Assessment[]): boolean =>
  record.outcome === undefined &&
  !has(record, 'PodDeleted') &&
  pods.some((pod) => pod.uid === record.podUid && !pod.ending);

/** Whoever goes on with a record decides anew: what fails now may be no fault of the process, or it is starting again. */
function spared(record: RepairRecord, broken: Assessment, pods: Assessment[], now: number): Advanced {
  if (!isOver(at(record.startedAt), REPLACEMENT_MS, now)) return { record, next: WAIT };
  const detail = `${broken.diagnosis}: ${broken.message}`;
  return settle(withStep(record, 'LeftAlone', now, detail), 'NotNeeded', pods, now);
}
