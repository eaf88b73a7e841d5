/** What a status newly says is wrong, for Events and metrics: both repeat its words. */
import { type Diagnosis, isDiagnosis, isLasting } from './remediation/diagnoses.ts';
import type { Condition, KlingApiStatus, RepairRecord } from './resource/status.ts';

export interface Diagnosed {
  reason: Diagnosis;
  note: string;
}

/** Conditions whose reason may speak of what no pod can say: refused pods, the API, the upstream. */
const TYPES: ReadonlySet<string> = new Set(['McpAvailable', 'ApiAvailable', 'UpstreamReachable', 'Degraded']);

function byCondition({ conditions = [] }: KlingApiStatus): (Condition & { reason: Diagnosis })[] {
  return conditions.flatMap((entry) => {
    const wrong = entry.type === 'Degraded' ? entry.status === 'True' : entry.status !== 'True';
    const { reason } = entry;
    return TYPES.has(entry.type) && wrong && isDiagnosis(reason) && isLasting(reason) ? [{ ...entry, reason }] : [];
  });
}

const byPod = ({ mcp }: KlingApiStatus): { name: string; diagnosis: Diagnosis; message: string }[] =>
  (mcp?.pods ?? []).flatMap(({ name, diagnosis = '', message = '' }) =>
    isDiagnosis(diagnosis) ? [{ name, diagnosis, message }] : [],
  );

/** What was not said before, each reason once. */
export function newlyDiagnosed(before: KlingApiStatus, status: KlingApiStatus): Diagnosed[] {
  const known = byPod(before);
  const out = byPod(status)
    .filter(
      ({ name, diagnosis }) =>
        isLasting(diagnosis) && !known.some((pod) => pod.name === name && pod.diagnosis === diagnosis),
    )
    .map(({ name, diagnosis, message }): Diagnosed => ({ reason: diagnosis, note: `${name}: ${message}` }));
  const told = new Set([...known.map((pod) => pod.diagnosis), ...byPod(status).map((pod) => pod.diagnosis)]);
  const earlier = new Set(byCondition(before).map((entry) => entry.reason));
  for (const { reason, message } of byCondition(status)) {
    if (told.has(reason) || earlier.has(reason)) continue;
    told.add(reason);
    out.push({ reason, note: message });
  }
  return out;
}

/** How often each diagnosis holds now: pods, or 1 for what no pod says. */
export function diagnosesOf(status: KlingApiStatus): Map<Diagnosis, number> {
  const counts = new Map<Diagnosis, number>();
  for (const { diagnosis } of byPod(status)) counts.set(diagnosis, (counts.get(diagnosis) ?? 0) + 1);
  for (const { reason } of byCondition(status)) if (!counts.has(reason)) counts.set(reason, 1);
  return counts;
}

/** Restarts by the kubelet that were written down just now. */
export function newKubeletRestarts(before: KlingApiStatus, status: KlingApiStatus): RepairRecord[] {
  const known = new Set((before.repairs ?? []).map(({ id }) => id));
  return (status.repairs ?? []).filter(({ id, action }) => action === 'KubeletRestart' && !known.has(id));
}
