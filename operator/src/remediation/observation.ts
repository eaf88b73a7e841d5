/** What is known of one MCP pod, as plain data. Times are milliseconds since the epoch. */

import type { HandshakeResult, ProbeReport } from '@klingapi/probe';
import type { V1ContainerStateTerminated, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { RESTARTED_AT, REVISION_LABEL } from '../children/revision.ts';

export interface Exit {
  reason: string | null;
  exitCode: number;
  startedAt: number | null;
  finishedAt: number | null;
}

export interface ContainerState {
  state: 'Running' | 'Waiting' | 'Terminated' | 'Absent';
  startedAt: number | null;
  /** Reason the kubelet gives, such as CrashLoopBackOff. */
  reason: string | null;
  message: string | null;
  restarts: number;
  /** The newest exit of the container. */
  lastExit: Exit | null;
}

/** The operator's own handshakes with one pod, newest last; kept in memory. */
export interface OwnHandshakes {
  last: HandshakeResult | null;
  at: number | null;
  /** Failed in a row. */
  failures: number;
  failingSince: number | null;
}

export interface PodObservation {
  name: string;
  uid: string;
  createdAt: number;
  deleting: boolean;
  /** Which pod template it was made from. */
  revision: string | null;
  /** Restart of all pods that it was made by, or came after. */
  restartedAt: string | null;
  podIP: string | null;
  nodeName: string | null;
  /** The node controller took the pod out of service because its node does not report. */
  nodeLost: boolean;
  scheduling: { reason: string; message: string } | null;
  container: ContainerState;
  containerName: string;
  /** The container that makes the handshake for a server of another make; null where there is none. */
  sidecar: ContainerState | null;
  /** What is missing of the Secrets that the pod mounts, in words. */
  missingSecret: string | null;
  /** How long the liveness probe of the container has to fail before the kubelet restarts it; null without one. */
  livenessMs: number | null;
  /** When the operator last saw this container serve, milliseconds; null where it did not see that. */
  servedAt: number | null;
  /** When the operator last saw the container before this one serve, milliseconds; null where it did not see that. */
  servedBefore: number | null;
  /** Whether the kubelet's handshake passes, and since when where that is known. */
  ready: { value: boolean; since: number | null };
  /** The pod's own report; null where it does not answer or is too old to count. */
  probe: ProbeReport | null;
  own: OwnHandshakes;
}

export const NO_HANDSHAKES: OwnHandshakes = { last: null, at: null, failures: 0, failingSince: null };

const millis = (value: Date | string | undefined | null): number | null => {
  if (value === undefined || value === null) return null;
  const parsed = new Date(value).getTime();
  return Number.isNaN(parsed) ? null : parsed;
};

const exitOf = (exit: V1ContainerStateTerminated | undefined): Exit | null =>
  exit === undefined
    ? null
    : {
        reason: exit.reason ?? null,
        exitCode: exit.exitCode,
        startedAt: millis(exit.startedAt),
        finishedAt: millis(exit.finishedAt),
      };

function containerState(status: V1ContainerStatus | undefined): ContainerState {
  const rest = {
    restarts: status?.restartCount ?? 0,
    lastExit: exitOf(status?.state?.terminated ?? status?.lastState?.terminated),
  };
  const { running, waiting, terminated } = status?.state ?? {};
  if (running !== undefined)
    return { state: 'Running', startedAt: millis(running.startedAt), reason: null, message: null, ...rest };
  if (terminated !== undefined) {
    return {
      state: 'Terminated',
      startedAt: millis(terminated.startedAt),
      reason: terminated.reason ?? null,
      message: terminated.message ?? null,
      ...rest,
    };
  }
  if (waiting !== undefined)
    return {
      state: 'Waiting',
      startedAt: null,
      reason: waiting.reason ?? null,
      message: waiting.message ?? null,
      ...rest,
    };
  return { state: 'Absent', startedAt: null, reason: null, message: null, ...rest };
}

/**
 * Readiness of the one container whose readiness probe is the handshake. The pod's own condition also speaks of containers that
 * others injected, and of its node, so it tells no more than since when, and that only where it can speak of this container alone.
 */
function handshakeReadiness(pod: V1Pod, server: string): PodObservation['ready'] {
  const condition = pod.status?.conditions?.find((entry) => entry.type === 'Ready');
  const probed = pod.spec?.containers.find(
    ({ name, readinessProbe }) => (name === 'probe' || name === server) && readinessProbe !== undefined,
  );
  const statuses = pod.status?.containerStatuses ?? [];
  const own = statuses.find((entry) => entry.name === (probed?.name ?? server));
  const ready = condition?.status === 'True';
  if (own === undefined) return { value: ready, since: millis(condition?.lastTransitionTime) };
  const alone = ready || statuses.every((entry) => entry === own || entry.ready);
  return { value: own.ready, since: ready === own.ready && alone ? millis(condition?.lastTransitionTime) : null };
}

/**
 * Of a node that does not report, the node controller changes one thing: it sets the pod's Ready to False. The kubelet, which sets
 * it together with ContainersReady, can not have said so.
 */
function nodeLost(pod: V1Pod): boolean {
  const conditions = pod.status?.conditions ?? [];
  const holds = (type: string) => conditions.find((entry) => entry.type === type)?.status === 'True';
  const gates = (pod.spec?.readinessGates ?? []).every((gate) => holds(gate.conditionType));
  return !holds('Ready') && holds('ContainersReady') && gates;
}

function livenessMs(pod: V1Pod, container: string): number | null {
  const probe = pod.spec?.containers.find(({ name }) => name === container)?.livenessProbe;
  if (probe === undefined) return null;
  const { failureThreshold = 3, periodSeconds = 10 } = probe;
  return (failureThreshold - 1) * periodSeconds * 1_000;
}

/** @param container name of the container that is asked about, such as the one that runs the MCP server */
export function observePod(
  pod: V1Pod,
  container: string,
  probe: ProbeReport | null,
  own: OwnHandshakes,
): PodObservation {
  const conditions = pod.status?.conditions ?? [];
  const scheduled = conditions.find((entry) => entry.type === 'PodScheduled');
  return {
    name: pod.metadata?.name ?? '',
    uid: pod.metadata?.uid ?? '',
    createdAt: millis(pod.metadata?.creationTimestamp) ?? 0,
    // a pod that was evicted stays as an object, but nothing of it runs and its workload no longer counts it
    deleting:
      pod.metadata?.deletionTimestamp !== undefined ||
      pod.status?.phase === 'Failed' ||
      pod.status?.phase === 'Succeeded',
    revision: pod.metadata?.labels?.[REVISION_LABEL] ?? null,
    restartedAt: pod.metadata?.annotations?.[RESTARTED_AT] ?? null,
    podIP: pod.status?.podIP ?? null,
    nodeName: pod.spec?.nodeName ?? null,
    nodeLost: nodeLost(pod),
    scheduling:
      scheduled?.status === 'False'
        ? { reason: scheduled.reason ?? 'Unscheduled', message: scheduled.message ?? '' }
        : null,
    container: containerState(pod.status?.containerStatuses?.find((entry) => entry.name === container)),
    containerName: container,
    sidecar: pod.spec?.containers.some(({ name }) => name === 'probe')
      ? containerState(pod.status?.containerStatuses?.find(({ name }) => name === 'probe'))
      : null,
    missingSecret: null,
    livenessMs: livenessMs(pod, container),
    servedAt: null,
    servedBefore: null,
    ready: handshakeReadiness(pod, container),
    probe,
    own,
  };
}
