/** The repair record: how it begins, and what its next step is. State lives in the record alone, so any operator can go on with it. */
import type { RepairRecord, Verification } from '../resource/status.ts';
import type { Assessment } from './assess.ts';

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
}

/** No single observer leads to a repair. */
const OBSERVERS = { Probe: "the pod's own probe and the operator", Operator: 'the kubelet and the operator' } as const;

const serving = (pods: Assessment[]): number => pods.filter((pod) => !pod.ending && pod.verdict === 'Serving').length;

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
    action: 'RestartPod',
    trigger: input.trigger,
    attempt: input.attempt,
    actor: input.actor,
    servedBefore: serving(input.pods),
    steps: [
      ...(pod.failingSince === null
        ? []
        : [{ name: 'HandshakeFailed', at: iso(pod.failingSince), detail: pod.message.slice(0, 1024) }]),
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
/** A replacement that does not serve by then has failed. */
const REPLACEMENT_MS = 120_000;

export type NextStep =
  | { kind: 'Delete'; graceSeconds: number | undefined }
  | { kind: 'Wait'; forMs: number }
  | { kind: 'Verify' }
  | { kind: 'Settled' };

export interface Advanced {
  record: RepairRecord;
  next: NextStep;
}

const has = (record: RepairRecord, name: string): boolean => record.steps.some((step) => step.name === name);
const withStep = (record: RepairRecord, name: string, now: number, detail?: string): RepairRecord => ({
  ...record,
  steps: [...record.steps, { name, at: iso(now), ...(detail === undefined ? {} : { detail: detail.slice(0, 1024) }) }],
});

const settle = (
  record: RepairRecord,
  outcome: NonNullable<RepairRecord['outcome']>,
  pods: Assessment[],
  now: number,
): Advanced => ({
  record: { ...record, outcome, finishedAt: iso(now), servedAfter: serving(pods) },
  next: { kind: 'Settled' },
});

/**
 * @param verification result of the checks asked for by an earlier `Verify`, if there is one
 * @param actor identity of the operator process that asks
 */
export function advance(
  record: RepairRecord,
  pods: Assessment[],
  verification: Verification | undefined,
  actor: string,
  graceSeconds: number,
  now: number,
): Advanced {
  if (record.outcome !== undefined) return { record, next: { kind: 'Settled' } };
  const lastMove = Math.max(...record.steps.map((step) => at(step.at)), at(record.startedAt));
  if (record.actor !== actor) {
    if (now - lastMove < TAKE_OVER_MS) return { record, next: { kind: 'Wait', forMs: TAKE_OVER_MS } };
    return advance(
      withStep({ ...record, actor }, 'TakenOver', now, `by ${actor}`),
      pods,
      verification,
      actor,
      graceSeconds,
      now,
    );
  }

  const broken = pods.find((pod) => pod.uid === record.podUid);
  if (!has(record, 'PodDeleted')) {
    if (broken === undefined || broken.ending)
      return advance(withStep(record, 'PodDeleted', now, record.pod), pods, verification, actor, graceSeconds, now);
    if (broken.verdict === 'Serving')
      return settle(withStep(record, 'ServingAgain', now, 'before anything was done'), 'NotNeeded', pods, now);
    return { record, next: { kind: 'Delete', graceSeconds: broken.hung ? 1 : undefined } };
  }

  if (!has(record, 'Serving')) {
    // creationTimestamp has whole seconds
    const fresh = pods
      .filter(
        (pod) =>
          !pod.ending && pod.uid !== record.podUid && pod.createdAt >= Math.floor(at(record.startedAt) / 1_000) * 1_000,
      )
      .sort((a, b) => b.createdAt - a.createdAt)[0];
    const named =
      fresh === undefined || record.replacement === fresh.pod
        ? record
        : { ...withStep(record, 'ReplacementStarted', now, fresh.pod), replacement: fresh.pod };
    if (fresh?.verdict === 'Serving') {
      const failingSince = record.evidence.failingSince;
      const recovered = withStep(
        {
          ...named,
          ...(failingSince === undefined
            ? {}
            : { unavailableSeconds: Math.round((now - at(failingSince)) / 100) / 10 }),
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
    if (now - at(record.startedAt) >= Math.max(REPLACEMENT_MS, graceSeconds * 1_000 * 2)) {
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

  if (verification === undefined) return { record, next: { kind: 'Verify' } };
  const done = withStep({ ...record, verification }, 'Verified', now, `${verification.summary}`);
  const handshake = verification.checks.find((check) => check.name === 'McpHandshake');
  return settle(done, handshake?.result === 'Failed' ? 'Failed' : 'Recovered', pods, now);
}
