/**
 * What the kubelet did while nobody else could: its liveness probe restarts a container that answers nothing for ten minutes
 * (`children/pod.ts`). It is written down afterwards, once for each restart.
 *
 * No Event is read for it. The exit tells enough: ended by a signal, not for its memory, after it had run for at least as long as
 * the probe needs, and nobody saw it serve within that time before its end.
 */
import type { Acts } from '../plan.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import type { PodStatus, RepairRecord } from '../resource/status.ts';
import { type Assessment, serves } from './assess.ts';
import { isDiagnosis, isProcessFault } from './diagnoses.ts';
import type { PodObservation } from './observation.ts';
import { iso } from './time.ts';

/** SIGKILL after the grace, as a rule; SIGTERM where the process does not catch it. */
const SIGNALLED: readonly number[] = [137, 143];
/** Records that the status holds. */
const MOST = 10;

/**
 * Restarts that are accounted for in the status of the pod: those of which is known what came of them.
 * @param before restarts that were accounted for at the look before
 */
export const restartsSeen = (pod: PodObservation, assessment: Assessment, before: number): number =>
  assessment.ending || assessment.starting || !(serves(assessment) || assessment.repairable)
    ? Math.min(before, pod.container.restarts)
    : pod.container.restarts;

/**
 * @param before status of the pod at the look before
 * @param others pods that serve beside this one
 * @returns undefined unless this pod's container was restarted by its liveness probe and nobody has written that down
 */
export function kubeletRestart(
  pod: PodObservation,
  assessment: Assessment,
  before: PodStatus | undefined,
  others: number,
  now: number,
): RepairRecord | undefined {
  const { restarts, lastExit, startedAt } = pod.container;
  const known = before?.restarts ?? 0;
  if (pod.livenessMs === null || startedAt === null || restarts <= known) return undefined;
  if (restartsSeen(pod, assessment, known) === known) return undefined;
  if (lastExit === null || lastExit.reason === 'OOMKilled' || !SIGNALLED.includes(lastExit.exitCode)) return undefined;
  if (lastExit.startedAt === null || lastExit.finishedAt === null) return undefined;
  const ranMs = lastExit.finishedAt - lastExit.startedAt;
  const served = pod.servedBefore !== null && pod.servedBefore > lastExit.finishedAt - pod.livenessMs;
  if (ranMs < pod.livenessMs || served) return undefined;

  const diagnosis = before?.diagnosis ?? '';
  const recovered = serves(assessment);
  const ended = { name: 'ContainerEnded', at: iso(lastExit.finishedAt), detail: `exit code ${lastExit.exitCode}` };
  const started = { name: 'ContainerStarted', at: iso(Math.max(startedAt, lastExit.finishedAt)), detail: pod.name };
  const seenAt = iso(Math.max(recovered ? (assessment.readySince ?? now) : now, startedAt, lastExit.finishedAt));
  return {
    id: `kubelet-${pod.uid.slice(0, 8)}-${restarts}`,
    startedAt: ended.at,
    finishedAt: seenAt,
    pod: pod.name,
    podUid: pod.uid,
    replacement: pod.name,
    diagnosis: isDiagnosis(diagnosis) && isProcessFault(diagnosis) ? diagnosis : 'ProcessHung',
    evidence: {
      observer: 'Operator',
      message: `container ${pod.containerName} was ended with exit code ${lastExit.exitCode} after ${Math.round(ranMs / 1_000)} s, and nobody saw it serve in the ${pod.livenessMs / 1_000} s before: its liveness probe failed for that long`,
    },
    action: 'KubeletRestart',
    trigger: 'Liveness',
    attempt: 1,
    actor: 'kubelet',
    outcome: recovered ? 'Recovered' : 'Failed',
    servedBefore: others,
    servedAfter: others + (recovered ? 1 : 0),
    steps: [ended, started, { name: recovered ? 'Serving' : 'NotServing', at: seenAt, detail: assessment.message }],
  };
}

/** Adds what the kubelet did since the look before to what is written down; no budget and no incident counts it. */
export function withKubeletRestarts(
  klingApi: KlingApi,
  acts: Acts,
  pods: Assessment[],
  observations: PodObservation[],
  now: number,
): Acts {
  const before = klingApi.status?.mcp?.pods ?? [];
  const records = observations.flatMap((pod) => {
    const assessment = pods.find(({ uid }) => uid === pod.uid);
    if (assessment === undefined) return [];
    const others = pods.filter((other) => other.uid !== pod.uid && serves(other)).length;
    const status = before.find(({ name }) => name === pod.name);
    return kubeletRestart(pod, assessment, status, others, now) ?? [];
  });
  const fresh = records.filter((record) => !acts.repairs.some(({ id }) => id === record.id));
  if (fresh.length === 0) return acts;
  const underWay = acts.repairs.filter((record) => record.outcome === undefined);
  const ended = acts.repairs.filter((record) => record.outcome !== undefined);
  return {
    ...acts,
    repairs: [...underWay, ...fresh, ...ended].slice(0, MOST),
    repairsTotal: acts.repairsTotal + fresh.length,
  };
}
