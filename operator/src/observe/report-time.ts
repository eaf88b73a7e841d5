/** Reports carry the clock of their node, which may be off by any amount: only differences between their times are used. */
import type { ProbeReport } from '@klingapi/probe';

export interface ReceivedReport {
  /** Its times in the operator's clock: `at` is when it was first received. */
  report: ProbeReport;
  /** What tells it from the reports before and after it. */
  mark: string;
}

const markOf = ({ startedAt, handshakes, at }: ProbeReport): string => `${startedAt} ${handshakes} ${at}`;

/**
 * @param before what the same pod gave at the look before, null where it gave nothing
 * @param now when `raw` came, milliseconds
 */
export function receive(raw: ProbeReport, before: ReceivedReport | null, now: number): ReceivedReport {
  const mark = markOf(raw);
  // no handshake since: it is as old as it was, and a little more
  if (before?.mark === mark) return before;
  const age = raw.failingSince === null ? Number.NaN : millis(raw.at) - millis(raw.failingSince);
  const failingSince = Number.isFinite(age) ? new Date(now - Math.max(0, age)).toISOString() : null;
  return { mark, report: { ...raw, at: new Date(now).toISOString(), failingSince } };
}

/** A report that no newer one followed for so long says nothing of now. @param mostMs milliseconds */
export const isStale = ({ report }: ReceivedReport, mostMs: number, now: number): boolean =>
  now - millis(report.at) > mostMs;

const millis = (time: string): number => new Date(time).getTime();
