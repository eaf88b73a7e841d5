/** The repair record: how it begins, how it grows, how it ends. State lives in the record alone, so any operator can go on with it. */
import type { RepairRecord } from '../resource/status.ts';
import { type Assessment, serves } from './assess.ts';
import type { Repair } from './decide.ts';
import { at, iso } from './time.ts';

export interface BeginInput {
  repair: Pick<Repair, 'pod' | 'action' | 'trigger' | 'rollbackTo'>;
  pods: Assessment[];
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
  const { pod, action, trigger, rollbackTo } = input.repair;
  return {
    id: `${iso(now).replace(/[-:.]/g, '').toLowerCase()}-${pod.uid.slice(0, 8)}`,
    startedAt: iso(now),
    pod: pod.pod,
    podUid: pod.uid,
    diagnosis: input.diagnosis,
    evidence: { ...pod.evidence, ...(input.log === undefined ? {} : { log: input.log }) },
    ...(input.recurrence === undefined ? {} : { recurrence: input.recurrence }),
    action,
    ...(rollbackTo === undefined ? {} : { rolledBackTo: rollbackTo }),
    trigger,
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

/** A replacement that does not serve by then has failed. */
export const REPLACEMENT_MS = 120_000;
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

export const WAIT: NextStep = { kind: 'Wait', forMs: 1_000 };

/** Whether that long is over; also where `since` lies further ahead than that, because the clock was set back since then. */
export const isOver = (since: number, limitMs: number, now: number): boolean => Math.abs(now - since) >= limitMs;

/** Time never runs back in a record, also when the clock does. */
const notBefore = (record: RepairRecord, now: number): number =>
  record.steps.reduce((latest, step) => Math.max(latest, at(step.at)), Math.max(now, at(record.startedAt)));

export const has = (record: RepairRecord, name: string): boolean => record.steps.some((step) => step.name === name);

export function withStep(record: RepairRecord, name: string, now: number, detail?: string): RepairRecord {
  const steps = [
    ...record.steps,
    { name, at: iso(notBefore(record, now)), ...(detail === undefined ? {} : { detail: detail.slice(0, 1024) }) },
  ];
  // what came again makes room, oldest first: every name stays, because the next step is read from them
  const again = steps.findIndex((step, index) => steps.findLastIndex((other) => other.name === step.name) > index);
  return { ...record, steps: steps.length > MOST_STEPS && again >= 0 ? steps.toSpliced(again, 1) : steps };
}

export const settle = (
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
export const cameAfter = (record: RepairRecord, pod: Assessment): boolean =>
  !pod.ending && pod.uid !== record.podUid && !(record.otherPods ?? []).includes(pod.uid);
