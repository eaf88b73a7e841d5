/** One pod's observation → what it means. A chain of rules; the first that applies decides. */
import { isReady, type Verdict } from '@klingapi/probe';
import type { RepairEvidence } from '../resource/status.ts';
import type { PodObservation } from './observation.ts';

export interface Assessment {
  pod: string;
  uid: string;
  createdAt: number;
  revision: string | null;
  restartedAt: string | null;
  verdict: Verdict;
  /** Why it is not Serving, in one word; null while it serves. */
  diagnosis: string | null;
  message: string;
  /** Since when the kubelet finds it ready, milliseconds by the node's clock; null while it does not. */
  readySince: number | null;
  /** Begin of the failing handshakes, milliseconds; null where none failed. */
  failingSince: number | null;
  failures: number;
  /** Deleting the pod can help: the fault is in its process, and two observers say so. */
  repairable: boolean;
  /** The process answers nothing at all, so nothing in it can drain. */
  hung: boolean;
  starting: boolean;
  ending: boolean;
  evidence: RepairEvidence;
}

/** A server that asks for credentials serves: whoever has them is served. */
export const serves = (pod: Pick<Assessment, 'ending' | 'verdict'>): boolean => !pod.ending && isReady(pod.verdict);

export interface AssessPolicy {
  startupGraceSeconds: number;
}

type Rule = (pod: PodObservation, policy: AssessPolicy, now: number) => Partial<Assessment> | undefined;

const failed = (verdict: Verdict | undefined): boolean => verdict === 'Failing' || verdict === 'Unreachable';
const good = (verdict: Verdict | undefined): boolean => verdict !== undefined && isReady(verdict);
/** @returns null also for what is no time: it comes from the pod */
const millis = (time: string | null | undefined): number | null => {
  const parsed = time ? new Date(time).getTime() : Number.NaN;
  return Number.isNaN(parsed) ? null : parsed;
};

const ending: Rule = (pod) =>
  pod.deleting ? { ending: true, verdict: 'Unknown', diagnosis: 'Ending', message: 'the pod is ending' } : undefined;

const unscheduled: Rule = (pod) =>
  pod.scheduling === null
    ? undefined
    : { verdict: 'Unreachable', diagnosis: 'Unschedulable', message: pod.scheduling.message, starting: true };

const WAITING: Record<string, string> = {
  CrashLoopBackOff: 'CrashLoop',
  ErrImagePull: 'ImagePull',
  ImagePullBackOff: 'ImagePull',
  ErrImageNeverPull: 'ImagePull',
  InvalidImageName: 'ImagePull',
  CreateContainerConfigError: 'ContainerConfig',
  CreateContainerError: 'ContainerConfig',
};

/** A container that does not run is the kubelet's to restart, with its own back-off. */
const notRunning: Rule = ({ container }) => {
  if (container.state === 'Running') return undefined;
  const oom = container.reason === 'OOMKilled' || container.lastExit?.reason === 'OOMKilled';
  const crashed = container.state === 'Terminated' || container.restarts > 0;
  const diagnosis = oom ? 'OutOfMemory' : (WAITING[container.reason ?? ''] ?? (crashed ? 'CrashLoop' : 'Starting'));
  const exit = container.lastExit === null ? '' : `, last exit code ${container.lastExit.exitCode}`;
  return {
    verdict: 'Unreachable',
    diagnosis,
    message: container.message ?? `the container is not running (${container.reason ?? container.state}${exit})`,
    starting: !crashed,
  };
};

const healthy: Rule = (pod) => {
  const own = pod.own.last;
  if (own === null || !good(own.verdict)) return undefined;
  if (pod.probe !== null && !good(pod.probe.verdict)) return undefined;
  return {
    verdict: own.verdict,
    diagnosis: own.diagnosis ?? (own.verdict === 'AuthRequired' ? 'AuthRequired' : null),
    message: own.message,
  };
};

/** Ends at the first Serving handshake of this container, at the latest `startupGraceSeconds` after its start. */
const starting: Rule = (pod, policy, now) => {
  const startedAt = pod.container.startedAt;
  if (startedAt === null)
    return { verdict: 'Unknown', diagnosis: 'Starting', message: 'the container is starting', starting: true };
  if (pod.probe !== null && pod.probe.firstServingAt !== null) return undefined;
  // Where the probe is silent: a Ready condition that changed to False after the start means that it was True before.
  if (pod.probe === null && !pod.ready.value && pod.ready.since !== null && pod.ready.since > startedAt + 1_000)
    return undefined;
  if (pod.probe === null && pod.ready.value) return undefined;
  if (now - startedAt >= policy.startupGraceSeconds * 1_000) return undefined;
  return {
    verdict: pod.probe?.verdict ?? pod.own.last?.verdict ?? 'Unknown',
    diagnosis: 'Starting',
    message: 'the container has not passed a handshake yet',
    starting: true,
  };
};

/** The pod's own probe says that it fails; the operator's handshake has to agree before that leads to anything. */
const probeFails: Rule = (pod) => {
  const { probe, own } = pod;
  if (probe === null || !failed(probe.verdict)) return undefined;
  const seen = {
    verdict: probe.verdict,
    failingSince: millis(probe.failingSince),
    failures: probe.consecutiveFailures,
  };
  if (own.last !== null && good(own.last.verdict)) {
    return {
      ...seen,
      diagnosis: 'ObserversDisagree',
      message: `the pod's own handshake fails (${probe.message}), the operator's succeeds`,
    };
  }
  return {
    ...seen,
    diagnosis: probe.diagnosis ?? 'HttpError',
    message: probe.message,
    repairable: own.last !== null && failed(own.last.verdict),
    hung: probe.diagnosis === 'ProcessHung',
  };
};

/** Nothing in the pod answers: the kubelet and the operator are the two observers. */
const silent: Rule = (pod) => {
  const { own } = pod;
  if (pod.probe !== null || own.last === null || !failed(own.last.verdict)) return undefined;
  if (pod.ready.value) {
    return {
      verdict: 'Unknown',
      diagnosis: 'NetworkBlocked',
      message: `the kubelet finds the pod ready, the operator does not reach it: ${own.last.message}`,
    };
  }
  const since = Math.min(own.failingSince ?? Number.POSITIVE_INFINITY, pod.ready.since ?? Number.POSITIVE_INFINITY);
  return {
    verdict: own.last.verdict,
    diagnosis: own.last.diagnosis ?? 'ProcessHung',
    message: own.last.message,
    failingSince: Number.isFinite(since) ? since : null,
    failures: own.failures,
    repairable: true,
    hung: own.last.verdict === 'Unreachable',
  };
};

/** Inside it works, outside it does not: a network policy, or a server that listens on loopback only. */
const blocked: Rule = (pod) => {
  if (pod.probe === null || !good(pod.probe.verdict) || pod.own.last === null || good(pod.own.last.verdict))
    return undefined;
  return {
    verdict: 'Unknown',
    diagnosis: 'NetworkBlocked',
    message: `the pod serves inside, but not at its address: ${pod.own.last.message}`,
  };
};

const RULES: Rule[] = [ending, unscheduled, notRunning, healthy, starting, probeFails, silent, blocked];

/** @param now milliseconds since the epoch */
export function assess(pod: PodObservation, policy: AssessPolicy, now: number): Assessment {
  const base: Assessment = {
    pod: pod.name,
    uid: pod.uid,
    createdAt: pod.createdAt,
    revision: pod.revision,
    restartedAt: pod.restartedAt,
    verdict: 'Unknown',
    diagnosis: 'NotSeen',
    message: pod.own.last?.message ?? 'no handshake was made yet',
    readySince: pod.ready.value ? pod.ready.since : null,
    failingSince: null,
    failures: 0,
    repairable: false,
    hung: false,
    starting: false,
    ending: false,
    evidence: { observer: 'Operator', message: '' },
  };
  for (const rule of RULES) {
    const found = rule(pod, policy, now);
    if (found !== undefined) {
      const assessment = { ...base, ...found };
      return { ...assessment, evidence: evidenceOf(pod, assessment) };
    }
  }
  return { ...base, evidence: evidenceOf(pod, base) };
}

function evidenceOf(pod: PodObservation, assessment: Assessment): RepairEvidence {
  const handshake = pod.probe ?? pod.own.last;
  // what is no status of HTTP has no place in the record
  const answered = handshake?.evidence.status ?? 0;
  const status = answered >= 100 && answered <= 599 ? answered : undefined;
  const excerpt = handshake?.evidence.excerpt ?? undefined;
  return {
    observer: pod.probe === null ? 'Operator' : 'Probe',
    message: assessment.message.slice(0, 1024),
    ...(status === undefined ? {} : { httpStatus: status }),
    ...(excerpt === undefined || excerpt === '' ? {} : { excerpt: excerpt.slice(0, 1024) }),
    ...(assessment.failingSince === null ? {} : { failingSince: new Date(assessment.failingSince).toISOString() }),
    ...(assessment.failures === 0 ? {} : { consecutiveFailures: Math.min(assessment.failures, 1_000_000) }),
  };
}
