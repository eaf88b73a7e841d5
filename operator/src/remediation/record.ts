/** The repair record: how it begins, and what its next step is. State lives in the record alone, so any operator can go on with it. */
import type { RepairRecord, Verification } from '../resource/status.ts';
import { type Assessment, serves } from './assess.ts';

const iso = (at: number): string => new Date(at).toISOString();
const at = (time: string): number => new Date(time).getTime();

export interface BeginInput {
  pod: Assessment;
  pods: Assessment[];
  trigger: RepairRecord['trigger'];
  /** Identity of the operator process. */
  actor: string;
  attempt: number;
  /** Diagnosis after the log was read; the handshake's own otherwise. */
  diagnosis: string;
  log: string | undefined;
  recurrence?: RepairRecord['recurrence'];
}

/** No single observer leads to a repair. */
const OBSERVERS = { Probe: "the pod's own probe and the operator", Operator: 'the kubelet and the operator' } as const;

const serving = (pods: Assessment[]): number => pods.filter(serves).length;

/** @returns the record to write before anything is deleted */
export function beginRepair(input: BeginInput, now: number): RepairRecord {
  const { pod } = input;
  return {
    id: `${iso(now).replace(/[-:.]/g, '').toLowerCase()}-${pod.uid.slice(0, 8)}`,
    startedAt: iso(now),
    pod: pod.pod,
    podUid: pod.uid,
    diagnosis: input.diagnosis,
    evidence: { ...pod.evidence, ...(input.log === undefined ? {} : { log: input.log }) },
    ...(input.recurrence === undefined ? {} : { recurrence: input.recurrence }),
    action: 'RestartPod',
    trigger: input.trigger,
    attempt: Math.min(input.attempt, MOST_ATTEMPTS),
    actor: input.actor,
    servedBefore: serving(input.pods),
    otherPods: input.pods
      .map((other) => other.uid)
      .filter((uid) => uid !== pod.uid)
      .slice(0, MOST_PODS),
    steps: [
      ...(pod.failingSince === null
        ? []
        : [{ name: 'HandshakeFailed', at: iso(Math.min(pod.failingSince, now)), detail: pod.message.slice(0, 1024) }]),
      {
        name: 'Diagnosed',
        at: iso(now),
        detail: `${input.diagnosis}, seen by ${OBSERVERS[pod.evidence.observer]}`,
      },
    ],
  };
}

/** An actor that has not moved its record for so long is taken for dead; another operator goes on. */
const TAKE_OVER_MS = 30_000;
/** While it makes a picture it is silent for longer, and a second picture would be paid twice. */
const TAKE_OVER_VERIFYING_MS = 300_000;
/** A replacement that does not serve by then has failed. */
const REPLACEMENT_MS = 120_000;
/** Two rounds of checks take less; a repair without their result by then ends without them, or it would hold up every later one. */
const VERIFICATION_MS = 600_000;
/** Failed handshakes in a row after which a replacement that had served has failed: one may be a moment of load. */
const FAILED_AGAIN = 3;
const MOST_PODS = 128;
/** The status holds no more steps. */
const MOST_STEPS = 32;
const MOST_ATTEMPTS = 1_000;

export type NextStep =
  | { kind: 'Delete'; graceSeconds: number | undefined }
  | { kind: 'Wait'; forMs: number }
  | { kind: 'Verify' }
  | { kind: 'Settled' };

export interface Advanced {
  record: RepairRecord;
  next: NextStep;
}

/** A replacement that serves for longer than this was not watched when it began to: the operator was down, or paused. */
const UNWATCHED_MS = 60_000;

/** Whether that long is over; also where `since` lies further ahead than that, because the clock was set back since then. */
const isOver = (since: number, limitMs: number, now: number): boolean => Math.abs(now - since) >= limitMs;

/** Time never runs back in a record, also when the clock does. */
const notBefore = (record: RepairRecord, now: number): number =>
  record.steps.reduce((latest, step) => Math.max(latest, at(step.at)), Math.max(now, at(record.startedAt)));

const has = (record: RepairRecord, name: string): boolean => record.steps.some((step) => step.name === name);
function withStep(record: RepairRecord, name: string, now: number, detail?: string): RepairRecord {
  const steps = [
    ...record.steps,
    { name, at: iso(notBefore(record, now)), ...(detail === undefined ? {} : { detail: detail.slice(0, 1024) }) },
  ];
  // what came again makes room, oldest first: every name stays, because the next step is read from them
  const again = steps.findIndex((step, index) => steps.findLastIndex((other) => other.name === step.name) > index);
  return { ...record, steps: steps.length > MOST_STEPS && again >= 0 ? steps.toSpliced(again, 1) : steps };
}

const settle = (
  record: RepairRecord,
  outcome: NonNullable<RepairRecord['outcome']>,
  pods: Assessment[],
  now: number,
): Advanced => {
  const { otherPods: _, ...kept } = record;
  return {
    record: { ...kept, outcome, finishedAt: iso(notBefore(record, now)), servedAfter: serving(pods) },
    next: { kind: 'Settled' },
  };
};

/** Pods that came after the record; told by what was there before, because the clocks of operator and API server differ. */
const cameAfter = (record: RepairRecord, pod: Assessment): boolean =>
  !pod.ending && pod.uid !== record.podUid && !(record.otherPods ?? []).includes(pod.uid);

/**
 * @param verification result of the checks asked for by an earlier `Verify`, if there is one
 * @param actor identity of the operator process that asks
 * @param stopped why no pod may be deleted any more, if so
 */
export function advance(
  record: RepairRecord,
  pods: Assessment[],
  verification: Verification | undefined,
  actor: string,
  graceSeconds: number,
  now: number,
  stopped?: string,
): Advanced {
  if (record.outcome !== undefined) return { record, next: { kind: 'Settled' } };
  if (record.actor !== actor) {
    const patienceMs = has(record, 'Serving') ? TAKE_OVER_VERIFYING_MS : TAKE_OVER_MS;
    const lastMove = Math.max(...record.steps.map((step) => at(step.at)), at(record.startedAt));
    if (!isOver(lastMove, patienceMs, now)) return { record, next: { kind: 'Wait', forMs: TAKE_OVER_MS } };
    return advance(
      withStep({ ...record, actor }, 'TakenOver', now, `by ${actor}`),
      pods,
      verification,
      actor,
      graceSeconds,
      now,
      stopped,
    );
  }

  const broken = pods.find((pod) => pod.uid === record.podUid);
  if (!has(record, 'PodDeleted')) {
    if (broken === undefined || broken.ending)
      return advance(withStep(record, 'PodDeleted', now, record.pod), pods, verification, actor, graceSeconds, now);
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
    const fresh = pods.filter((pod) => cameAfter(record, pod)).sort((a, b) => b.createdAt - a.createdAt)[0];
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
    return { record: named, next: { kind: 'Wait', forMs: 1_000 } };
  }

  if (verification === undefined) return unverified(record, pods, now);
  const done = withStep({ ...record, verification }, 'Verified', now, `${verification.summary}`);
  const handshake = verification.checks.find((check) => check.name === 'McpHandshake');
  return settle(done, handshake?.result === 'Failed' ? 'Failed' : 'Recovered', pods, now);
}

/** Since when the replacement serves; the kubelet knows where nobody looked for long. */
function servedFrom(fresh: Assessment, now: number): number {
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
  if (!isOver(at(record.startedAt), REPLACEMENT_MS, now)) return { record, next: { kind: 'Wait', forMs: 1_000 } };
  const detail = `${broken.diagnosis}: ${broken.message}`;
  return settle(withStep(record, 'LeftAlone', now, detail), 'NotNeeded', pods, now);
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
