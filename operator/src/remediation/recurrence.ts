/** A fault that comes back soon after a repair has a cause that restarting does not remove. */
import type { RepairRecord } from '../resource/status.ts';
import type { Assessment } from './assess.ts';
import { at } from './time.ts';

export interface RecurrenceInput {
  /** The pod that is about to be repaired. */
  pod: Assessment;
  diagnosis: string;
  /** Newest first. */
  repairs: RepairRecord[];
  minHealthySeconds: number;
  lastRequest: string | undefined;
}

const MOST_TIMES = 1_000;

/** @returns undefined unless the pod was made by a repair of the same fault, and did not serve for `minHealthySeconds` */
export function recurrenceOf(input: RecurrenceInput, now: number): RepairRecord['recurrence'] {
  const { pod, diagnosis, repairs, minHealthySeconds, lastRequest } = input;
  const last = repairs.find((record) => record.outcome !== undefined && record.replacement === pod.pod);
  if (last === undefined || last.diagnosis !== diagnosis) return undefined;
  const servedAt = last.steps.findLast((step) => step.name === 'Serving')?.at;
  const servedMs = servedAt === undefined ? 0 : Math.max(0, (pod.failingSince ?? now) - at(servedAt));
  if (servedMs >= minHealthySeconds * 1_000) return undefined;
  const times = Math.min((last.recurrence?.times ?? 0) + 1, MOST_TIMES);
  const again = times === 1 ? '' : `, ${times} times in a row`;
  const after = servedAt === undefined ? 'at once' : `${Math.round(servedMs / 1_000)} s`;
  const request = lastRequest === undefined ? '' : `; the last request before it was ${lastRequest}`;
  const message = `${diagnosis} came back ${after} after the repair of ${last.pod}${again}: its cause is one that restarting does not remove${request}`;
  return { times, message: message.slice(0, 1024) };
}
