/**
 * Whether the applied revision is on trial: applied, not all of it ready yet, and another one is verified and kept. Its pods take
 * no traffic and are not repaired meanwhile; past the deadline it is rejected for what lies in the revision itself, never for
 * what a cluster may lack (a node, a quota, a Secret).
 */
import { type Assessment, serves } from '../remediation/assess.ts';
import type { Diagnosis } from '../remediation/diagnoses.ts';
import { iso } from '../remediation/time.ts';

/** Causes besides a failed handshake that another template can remove. */
const FAULTS_OF_A_REVISION: ReadonlySet<Diagnosis> = new Set([
  'RequestRefused',
  'VersionMismatch',
  'EraMismatch',
  'CrashLoop',
  'OutOfMemory',
  'ImagePull',
  'RunAsNonRoot',
  'LoopbackOnly',
]);

export interface JudgeInput {
  pods: Assessment[];
  /** Revision of the applied template. */
  current: string;
  verified: string | undefined;
  /** Whether the verified template is kept, so that there is a way back. */
  kept: boolean;
  /** When the current revision was applied, milliseconds. */
  since: number | undefined;
  rollingOut: boolean;
  /** All its pods have served at once: from then on it is not judged by its rollout any more. */
  served: boolean;
  deadlineSeconds: number;
}

export type Judgement =
  | { kind: 'Settled' }
  | { kind: 'OnTrial'; until: number; message: string }
  | { kind: 'Rejected'; pod: Assessment; verified: string; reason: string; message: string }
  /** Past the deadline, with nothing to go back to. */
  | { kind: 'Overdue'; reason: string; message: string };

const failsByItself = (pod: Assessment): boolean =>
  !pod.ending &&
  !serves(pod) &&
  (pod.repairable || (pod.diagnosis !== null && FAULTS_OF_A_REVISION.has(pod.diagnosis)));

/** @param now milliseconds since the epoch */
export function judge(input: JudgeInput, now: number): Judgement {
  const { current, verified, since, rollingOut, deadlineSeconds } = input;
  if (!rollingOut || input.served || current === verified || since === undefined) return { kind: 'Settled' };
  const deadlineMs = deadlineSeconds * 1_000;
  const until = since + deadlineMs;
  // one of many may come late, or again: it has as long as the first had
  const untilOf = (pod: Assessment): number => Math.max(since, pod.createdAt) + deadlineMs;
  const pods = input.pods.filter((pod) => !pod.ending && pod.revision === current);
  const failing = pods.filter((pod) => !serves(pod));
  const guilty = failing.filter(failsByItself).sort((a, b) => untilOf(a) - untilOf(b));
  const first = guilty[0] ?? failing[0];
  const seen = first === undefined ? 'no pod of it failed' : `${first.pod}: ${first.diagnosis}: ${first.message}`;
  const back = input.kept && verified !== undefined;
  const onTrial = (end: number): Judgement =>
    back
      ? { kind: 'OnTrial', until: end, message: `revision ${current} has until ${iso(end)} to serve; ${seen}` }
      : { kind: 'Settled' };
  if (now < until) return onTrial(until);
  const [worst] = guilty;
  if (worst === undefined) return { kind: 'Settled' };
  if (now < untilOf(worst)) return onTrial(untilOf(worst));
  const reason = worst.diagnosis ?? 'HandshakeFailing';
  const message = `revision ${current} did not serve within ${deadlineSeconds} s: ${seen}`;
  return back ? { kind: 'Rejected', pod: worst, verified, reason, message } : { kind: 'Overdue', reason, message };
}
