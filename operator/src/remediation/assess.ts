/** One pod's observation → what it means. A chain of rules; the first that applies decides. */
import { isReady, type Verdict } from '@klingapi/probe';
import type { RepairEvidence } from '../resource/status.ts';
import { type Diagnosis, isProcessFault } from './diagnoses.ts';
import { kubeletFinding, loopMessage, loopOf } from './kubelet.ts';
import type { PodObservation } from './observation.ts';

export interface Assessment {
  pod: string;
  uid: string;
  createdAt: number;
  revision: string | null;
  restartedAt: string | null;
  verdict: Verdict;
  /** Why it is not Serving, in one word; null while it serves. */
  diagnosis: Diagnosis | null;
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

/** Of `spec.mcp.handshake`. */
export interface AssessPolicy {
  startupGraceSeconds: number;
  periodSeconds: number;
  timeoutSeconds: number;
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

/** A container that does not run is the kubelet's to restart, with its own back-off. */
const kubelet: Rule = (pod, _policy, now) => {
  const found = kubeletFinding(pod, now);
  if (found === undefined) return undefined;
  return { verdict: found.diagnosis === 'NodeNotReady' ? 'Unknown' : 'Unreachable', ...found };
};

const healthy: Rule = (pod) => {
  const own = pod.own.last;
  if (own === null || !good(own.verdict)) return undefined;
  if (pod.probe !== null && !good(pod.probe.verdict)) return undefined;
  // two observers for this too: one that is busy itself finds everything slow
  const slow = own.diagnosis === 'Slow' && (pod.probe === null || pod.probe.diagnosis === 'Slow');
  const diagnosis = own.verdict === 'AuthRequired' ? (own.diagnosis ?? 'AuthRequired') : slow ? 'Slow' : null;
  return { verdict: own.verdict, diagnosis, message: own.message };
};

/** A sidecar outlives the server that it asks, so only what it saw of this start of the container counts. */
function hasServed(pod: PodObservation, startedAt: number): boolean {
  const { probe, ready } = pod;
  const first = millis(probe?.firstServingAt);
  if (probe !== null) return good(probe.verdict) || (first !== null && first >= startedAt);
  // a process that stops right after its first good handshake may not have shown the kubelet one
  if (pod.servedAt !== null) return true;
  // Where the probe is silent: a Ready condition that changed to False after the start means that it was True before.
  return ready.value || (ready.since !== null && ready.since > startedAt + 1_000);
}

/** Ends at the first Serving handshake of this container, at the latest `startupGraceSeconds` after its start. */
const starting: Rule = (pod, policy, now) => {
  const { startedAt } = pod.container;
  if (startedAt === null)
    return { verdict: 'Unknown', diagnosis: 'Starting', message: 'the container is starting', starting: true };
  if (hasServed(pod, startedAt) || now - startedAt >= policy.startupGraceSeconds * 1_000) return undefined;
  // between two crashes it runs for a moment
  const loop = loopOf(pod.container, now);
  if (loop !== null)
    return {
      verdict: 'Unreachable',
      diagnosis: loop,
      message: loopMessage(loop, pod.containerName, pod.container.lastExit),
    };
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
  // no connection within the time, over loopback: the process accepts none any more
  const diagnosis = probe.diagnosis ?? (probe.verdict === 'Unreachable' ? 'ProcessHung' : 'HttpError');
  return {
    ...seen,
    diagnosis,
    message: probe.message,
    repairable: isProcessFault(diagnosis) && own.last !== null && failed(own.last.verdict),
    hung: diagnosis === 'ProcessHung',
  };
};

/** Nothing in the pod answers: the kubelet and the operator are the two observers. */
const silent: Rule = (pod, policy, now) => {
  const { own } = pod;
  if (pod.probe !== null || own.last === null || !failed(own.last.verdict)) return undefined;
  if (pod.ready.value) {
    if (isYoung(pod, policy, now)) return disagree(`the kubelet finds the pod ready, ${observed(own.last.message)}`);
    return {
      verdict: 'Unknown',
      diagnosis: 'NetworkBlocked',
      message: `the kubelet finds the pod ready, the operator does not reach it: ${own.last.message}`,
    };
  }
  const noticed = Math.min(own.failingSince ?? Number.POSITIVE_INFINITY, pod.ready.since ?? Number.POSITIVE_INFINITY);
  // a pod that the kubelet never found ready has been not ready from its beginning
  const since = Math.max(noticed, pod.servedAt ?? Number.NEGATIVE_INFINITY);
  const diagnosis = own.last.diagnosis ?? 'ProcessHung';
  return {
    verdict: own.last.verdict,
    diagnosis,
    message: own.last.message,
    failingSince: Number.isFinite(since) ? since : null,
    failures: own.failures,
    repairable: isProcessFault(diagnosis),
    hung: own.last.verdict === 'Unreachable',
  };
};

/** Inside it works, outside it does not: a network policy, or a server that listens on loopback only. */
const blocked: Rule = (pod, policy, now) => {
  const { probe, own } = pod;
  if (probe === null || !good(probe.verdict) || own.last === null || good(own.last.verdict)) return undefined;
  if (failed(own.last.verdict) && isYoung(pod, policy, now))
    return disagree(`the pod's own handshake succeeded a moment ago, ${observed(own.last.message)}`);
  // its management port answers at the same address, or there were no report of its probe
  if (own.last.diagnosis === 'ConnectionRefused')
    return {
      verdict: 'Unreachable',
      diagnosis: 'LoopbackOnly',
      message: `the server serves inside the pod, but refuses connections to the pod's address: it listens on loopback only (${own.last.message})`,
    };
  const diagnosis = own.last.diagnosis === 'NameResolution' ? 'NameResolution' : 'NetworkBlocked';
  return {
    verdict: 'Unknown',
    diagnosis,
    message: `the pod serves inside, but not at its address: ${own.last.message}`,
  };
};

const observed = (message: string): string => `the operator's handshake fails: ${message}`;
const disagree = (message: string): Partial<Assessment> => ({
  verdict: 'Unknown',
  diagnosis: 'ObserversDisagree',
  message,
});

/** A process that has just died: the operator sees it first, the kubelet and the probe with their next handshakes. */
function isYoung(pod: PodObservation, policy: AssessPolicy, now: number): boolean {
  const noticedMs = 2 * (policy.periodSeconds + policy.timeoutSeconds + 2) * 1_000;
  return pod.own.failingSince === null || now - pod.own.failingSince < noticedMs;
}

const RULES: Rule[] = [ending, kubelet, healthy, starting, probeFails, silent, blocked];

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
