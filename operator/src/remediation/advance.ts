/** What the next step of a record is. The action comes first, then the three checks, whatever the action was. */
import type { RepairRecord, Verification } from '../resource/status.ts';
import { type Assessment, serves } from './assess.ts';
import { type Advanced, has, isOver, settle, withStep } from './record.ts';
import { restartAll, type Workload } from './restart-all.ts';
import { restartPod } from './restart-pod.ts';
import { at } from './time.ts';

/** An actor that has not moved its record for so long is taken for dead; another operator goes on. */
const TAKE_OVER_MS = 30_000;
/** While it makes a picture that costs money it is silent for longer, and a second one would be paid twice. */
const TAKE_OVER_PAID_MS = 300_000;
/** Two rounds of checks take less; a repair without their result by then ends without them, or it would hold up every later one. */
const VERIFICATION_MS = 600_000;
/** Failed handshakes in a row after which a replacement that had served has failed: one may be a moment of load. */
const FAILED_AGAIN = 3;

export interface AdvanceInput {
  pods: Assessment[];
  /** Result of the checks asked for by an earlier `Verify`, if there is one. */
  verification: Verification | undefined;
  /** Identity of the operator process that asks. */
  actor: string;
  graceSeconds: number;
  /** The checks may make a picture that costs money. */
  paid: boolean;
  /** Why no pod may be deleted any more, if so. */
  stopped: string | undefined;
  workload: Workload;
  /** Pods that other repairs have made. */
  taken: ReadonlySet<string>;
}

export function advance(record: RepairRecord, input: AdvanceInput, now: number): Advanced {
  // what the kubelet did is over before it is written down
  if (record.outcome !== undefined || record.action === 'KubeletRestart') return { record, next: { kind: 'Settled' } };
  if (record.actor !== input.actor) {
    const patienceMs = has(record, 'Serving') && input.paid ? TAKE_OVER_PAID_MS : TAKE_OVER_MS;
    const lastMove = Math.max(...record.steps.map((step) => at(step.at)), at(record.startedAt));
    if (!isOver(lastMove, patienceMs, now)) return { record, next: { kind: 'Wait', forMs: TAKE_OVER_MS } };
    return advance(withStep({ ...record, actor: input.actor }, 'TakenOver', now, `by ${input.actor}`), input, now);
  }
  const acting =
    record.action === 'RestartPod' ? restartPod(record, input, now) : restartAll(record, record.action, input, now);
  return acting ?? verified(record, input, now);
}

function verified(record: RepairRecord, { pods, verification }: AdvanceInput, now: number): Advanced {
  if (verification === undefined) return unverified(record, pods, now);
  const done = withStep({ ...record, verification }, 'Verified', now, `${verification.summary}`);
  const handshake = verification.checks.find((check) => check.name === 'McpHandshake');
  return settle(done, handshake?.result === 'Failed' ? 'Failed' : 'Recovered', pods, now);
}

/** The checks are not done yet; a replacement that fails again meanwhile has failed, so that it can be repaired in its turn. */
function unverified(record: RepairRecord, pods: Assessment[], now: number): Advanced {
  const replacement = pods.find((pod) => pod.pod === record.replacement);
  if (replacement?.repairable === true && !replacement.ending && replacement.failures >= FAILED_AGAIN) {
    const detail = `${replacement.diagnosis}: ${replacement.message}`;
    return settle(withStep(record, 'ReplacementFailed', now, detail), 'Failed', pods, now);
  }
  const servedAt = record.steps.findLast((step) => step.name === 'Serving')?.at ?? record.startedAt;
  if (!isOver(at(servedAt), VERIFICATION_MS, now)) return { record, next: { kind: 'Verify' } };
  const late = withStep(record, 'NotVerified', now, `no result of the checks within ${VERIFICATION_MS / 1_000} s`);
  return settle(late, replacement !== undefined && serves(replacement) ? 'Recovered' : 'Failed', pods, now);
}
