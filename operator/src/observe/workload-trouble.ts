/** Why a workload has no pod that works, as far as the cluster says it. */
import type { V1Pod } from '@kubernetes/client-node';
import { type Diagnosis, isLasting } from '../remediation/diagnoses.ts';
import { kubeletFinding } from '../remediation/kubelet.ts';
import { NO_HANDSHAKES, observePod } from '../remediation/observation.ts';

export interface Trouble {
  reason: Diagnosis;
  message: string;
}

/** The conditions of a Deployment or a StatefulSet; both have them, though only a Deployment's controller tells of refused pods. */
type WorkloadConditions = { type: string; status: string; message?: string }[] | undefined;

const REFUSALS: [RegExp, Diagnosis][] = [
  [/exceeded quota|failed quota/i, 'QuotaExceeded'],
  [/violates PodSecurity/, 'PodSecurityRefused'],
];

/** What admission said to the pods that are wanted: there is no pod then that could say it. */
export function refusalOf(conditions: WorkloadConditions): Trouble | null {
  const failure = conditions?.find((entry) => entry.type === 'ReplicaFailure' && entry.status === 'True');
  if (failure === undefined) return null;
  // names a pod that was never made, with a suffix that is another at each try
  const message = (failure.message ?? '').replace(/^pods "[^"]*" is forbidden/, 'the pods are forbidden');
  const reason = REFUSALS.find(([pattern]) => pattern.test(message))?.[1] ?? 'PodsRefused';
  return { reason, message: message.slice(0, 1024) };
}

/** After so long without a ready pod the API is no longer starting. */
const STARTING_MS = 60_000;

/**
 * @param pods of the API workload
 * @param since when it was made, or was last seen to have a ready pod, milliseconds
 * @returns what to say where none of them is ready
 */
export function apiTrouble(pods: V1Pod[], refusal: Trouble | null, since: number, now: number): Trouble {
  if (refusal !== null) return refusal;
  for (const pod of pods) {
    const found = kubeletFinding(observePod(pod, 'api', null, NO_HANDSHAKES), now);
    if (found !== undefined && isLasting(found.diagnosis))
      return { reason: found.diagnosis, message: `${pod.metadata?.name}: ${found.message}` };
  }
  const alive = pods.filter((pod) => pod.metadata?.deletionTimestamp === undefined);
  // between two pods of a rollout there is none
  const began = alive.length === 0 ? since : Math.max(...alive.map(startOf));
  if (now - began < STARTING_MS) return { reason: 'Starting', message: 'the API is starting' };
  const message = alive.length === 0 ? 'no API pod exists' : 'the API process runs but is not ready';
  return { reason: 'ApiDown', message };
}

/** @returns 0 for a pod that was ready since its container started: it starts no more */
function startOf(pod: V1Pod): number {
  const { createdAt, container, ready } = observePod(pod, 'api', null, NO_HANDSHAKES);
  const startedAt = container.startedAt ?? 0;
  const wasReady = !ready.value && ready.since !== null && startedAt > 0 && ready.since > startedAt + 1_000;
  return wasReady ? 0 : Math.max(createdAt, startedAt);
}
