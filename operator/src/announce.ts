/** Tells people what changed: one Event and one log line for each thing that happened, never for what only goes on. */
import type { Logger } from '@klingapi/management';
import { newKubeletRestarts, newlyDiagnosed } from './diagnosed.ts';
import type { EventRecorder } from './kube/events.ts';
import type { Acts, Plan } from './plan.ts';
import { API_VERSION, KIND, type KlingApi } from './resource/klingapi.ts';
import type { KlingApiStatus, RepairRecord } from './resource/status.ts';

export type Announce = (klingApi: KlingApi, status: KlingApiStatus, plan: Plan, acts: Acts) => void;

interface Message {
  type: 'Normal' | 'Warning';
  reason: string;
  action: string;
  note: string;
}

const DONE: Record<RepairRecord['action'], (record: RepairRecord) => string> = {
  RestartPod: ({ pod, diagnosis, replacement }) =>
    `Pod ${pod} (${diagnosis}) was replaced by ${replacement ?? 'a new pod'}, which serves`,
  RolloutRestart: ({ pod, diagnosis }) =>
    `All MCP pods were restarted because of pod ${pod} (${diagnosis}); they serve`,
  Rollback: ({ pod, diagnosis, rolledBackTo }) =>
    `The MCP workload went back to revision ${rolledBackTo} because of pod ${pod} (${diagnosis}); its pods serve`,
  KubeletRestart: ({ pod, diagnosis }) => `The kubelet restarted pod ${pod} (${diagnosis}), which serves`,
};

const BEGINS: Record<RepairRecord['action'], (record: RepairRecord) => string> = {
  RestartPod: ({ pod }) => `Deleting pod ${pod}`,
  RolloutRestart: ({ pod }) => `Restarting all MCP pods because of ${pod}`,
  Rollback: ({ pod, rolledBackTo }) => `Going back to revision ${rolledBackTo} because of ${pod}`,
  KubeletRestart: ({ pod }) => `The kubelet restarted pod ${pod}`,
};

const ended = (record: RepairRecord): Message => {
  const checks = record.verification === undefined ? '' : `, ${record.verification.summary} checks passed`;
  const time = record.unavailableSeconds === undefined ? '' : ` after ${record.unavailableSeconds.toFixed(1)} s`;
  if (record.outcome === 'Recovered') {
    return {
      type: 'Normal',
      reason: 'Repaired',
      action: record.action,
      note: `${DONE[record.action](record)}${time}${checks}`,
    };
  }
  if (record.outcome === 'NotNeeded')
    return {
      type: 'Normal',
      reason: 'RepairNotNeeded',
      action: record.action,
      note: `Pod ${record.pod} was left alone: ${record.steps.at(-1)?.detail ?? ''}`,
    };
  return {
    type: 'Warning',
    reason: 'RepairFailed',
    action: record.action,
    note: `${record.action} for pod ${record.pod} (${record.diagnosis}) did not help: ${record.steps.at(-1)?.detail ?? ''}`,
  };
};

/** @param told the status as it was when this process last told of one */
function messages(klingApi: KlingApi, status: KlingApiStatus, plan: Plan, acts: Acts, told: KlingApiStatus): Message[] {
  const before = klingApi.status ?? {};
  const out: Message[] = [];
  const begun = acts.begun;
  if (begun !== undefined) {
    out.push({
      type: 'Warning',
      reason: 'RepairStarted',
      action: begun.action,
      note: `${BEGINS[begun.action](begun)}: ${begun.recurrence === undefined ? '' : `${begun.recurrence.message}: `}${begun.diagnosis}: ${begun.evidence.message}`,
    });
  }
  out.push(...plan.settled.map(ended));
  if (acts.decision.kind === 'WouldRepair') {
    const first =
      before.conditions?.find((condition) => condition.type === 'Degraded')?.reason !== acts.decision.reason;
    if (first) out.push({ type: 'Warning', reason: 'WouldRepair', action: 'DryRun', note: acts.decision.message });
  }
  if (acts.decision.kind === 'Exhausted')
    out.push({ type: 'Warning', reason: 'RemediationExhausted', action: 'GiveUp', note: acts.decision.message });
  if (before.remediation?.incident === undefined && acts.state.incident !== undefined) {
    const failing = plan.pods.find((pod) => pod.repairable);
    if (failing !== undefined)
      out.push({
        type: 'Warning',
        reason: 'HandshakeFailing',
        action: 'Observe',
        note: `${failing.pod}: ${failing.diagnosis}: ${failing.message}`,
      });
  }
  for (const { reason, note } of newlyDiagnosed(told, status))
    out.push({ type: 'Warning', reason, action: 'Diagnose', note });
  for (const { pod, evidence } of newKubeletRestarts(before, status))
    out.push({
      type: 'Warning',
      reason: 'KubeletRestart',
      action: 'KubeletRestart',
      note: `${pod}: ${evidence.message}`,
    });
  if (acts.decision.kind === 'Hold' && acts.decision.reason === 'StormActive') {
    if (!before.conditions?.some((entry) => entry.type === 'StormActive'))
      out.push({ type: 'Warning', reason: 'StormActive', action: 'HoldBack', note: acts.decision.message });
  }
  const outdated = status.conditions?.find((entry) => entry.type === 'CrdOutdated');
  if (outdated !== undefined && !told.conditions?.some((entry) => entry.type === 'CrdOutdated'))
    out.push({ type: 'Warning', reason: outdated.reason, action: 'Observe', note: outdated.message });
  const verification = status.verification;
  if (verification !== undefined && verification.at !== before.verification?.at) {
    const failed = verification.checks.filter((check) => check.result === 'Failed' || check.result === 'Inconclusive');
    out.push(
      failed.length === 0
        ? { type: 'Normal', reason: 'Verified', action: 'Verify', note: `${verification.summary} checks passed` }
        : {
            type: 'Warning',
            reason: 'VerificationFailed',
            action: 'Verify',
            note: `${verification.summary} checks passed; ${failed.map((check) => `${check.name}: ${check.message}`).join('; ')}`,
          },
    );
  }
  const { exposure } = status;
  const earlier = before.exposure;
  if (exposure !== undefined && (exposure.result !== earlier?.result || exposure.reason !== earlier.reason))
    out.push({
      type: exposure.result === 'Failed' ? 'Warning' : 'Normal',
      reason: exposure.reason,
      action: 'VerifyExposure',
      note: exposure.message,
    });
  return out;
}

/** KlingApis that are remembered; of one that was forgotten the same is told once more. */
const MOST_TOLD = 4_096;

export function createAnnounce(recorder: EventRecorder, log: Logger): Announce {
  // what a process that ended had written down, it may not have told any more; so a new one tells once of what is wrong
  const told = new Map<string, KlingApiStatus>();
  return (klingApi, status, plan, acts) => {
    const { name, namespace, uid } = klingApi.metadata;
    const before = told.get(uid) ?? {};
    told.delete(uid);
    told.set(uid, { mcp: status.mcp, conditions: status.conditions });
    const [oldest] = told.keys();
    if (told.size > MOST_TOLD && oldest !== undefined) told.delete(oldest);
    for (const message of messages(klingApi, status, plan, acts, before)) {
      recorder.event({ regarding: { apiVersion: API_VERSION, kind: KIND, name, namespace, uid }, ...message });
      log[message.type === 'Warning' ? 'warn' : 'info'](
        { klingapi: name, namespace, reason: message.reason, message: message.note },
        'Event was recorded',
      );
    }
  };
}
