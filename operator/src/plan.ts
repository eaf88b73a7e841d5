/** From what was seen to what is written and done next. Pure: no client, no clock. */

import { advance } from './remediation/advance.ts';
import { type Assessment, assess } from './remediation/assess.ts';
import { type Decision, decide } from './remediation/decide.ts';
import { nextState, repairRequestOf } from './remediation/incident.ts';
import type { PodObservation } from './remediation/observation.ts';
import { type Advanced, has, type NextStep } from './remediation/record.ts';
import { awaitsTemplate, type Workload } from './remediation/restart-all.ts';
import { awaitsDeletion } from './remediation/restart-pod.ts';
import { at } from './remediation/time.ts';
import { type KlingApi, REPAIR_ANNOTATION } from './resource/klingapi.ts';
import type { RejectedRevision, RemediationStatus, RepairRecord, Verification } from './resource/status.ts';
import { type Judgement, judge } from './rollout/judge.ts';

export interface PlanInput {
  klingApi: KlingApi;
  observations: PodObservation[];
  actor: string;
  /** Takes a finished verification that was asked for under this repair's id. */
  takeVerification: (repairId: string) => Verification | undefined;
  /** The MCP workload as it was applied. */
  workload: Omit<Workload, 'deadlineSeconds'>;
  /** Whether the template of a revision is kept, so that the workload can go back to it. */
  isKept: (revision: string) => boolean;
}

export interface Plan {
  pods: Assessment[];
  state: RemediationStatus;
  /** Every record, those under way moved on. */
  repairs: RepairRecord[];
  /** The next step of each repair that was under way. */
  steps: { record: RepairRecord; next: NextStep }[];
  /** Repairs that ended with this plan. */
  settled: RepairRecord[];
  /** A restart of all pods ended without having reached the template, so it must not reach it later. */
  withdrawn: boolean;
  decision: Decision;
  judgement: Judgement;
}

/** What becomes of a plan: what is written down, and what follows once that stands. */
export interface Acts {
  repairs: RepairRecord[];
  state: RemediationStatus;
  repairsTotal: number;
  /** The plan's decision, or what took its place. */
  decision: Decision;
  /** What the repair asks of the workload. */
  restartedAt: string | undefined;
  rejected: RejectedRevision | undefined;
  /** The record that this look begins. */
  begun: RepairRecord | undefined;
  busy: boolean;
  /** To be called once the status stands. */
  afterWrite: () => Promise<void>;
}

/** What the spec says against any deletion, also of a pod whose repair is written down already. */
function stopOf({ paused, remediation }: KlingApi['spec']): string | undefined {
  if (paused) return 'spec.paused is true';
  return remediation.mode === 'Auto' ? undefined : `spec.remediation.mode is ${remediation.mode}`;
}

/** @param now milliseconds since the epoch */
export function plan(input: PlanInput, now: number): Plan {
  const { klingApi, actor } = input;
  const { spec, status, metadata } = klingApi;
  const pods = input.observations.map((pod) => assess(pod, spec.mcp.handshake, now));
  const previous = status?.remediation ?? {};
  const annotation = repairRequestOf(metadata.annotations?.[REPAIR_ANNOTATION]);
  const state = nextState(
    previous,
    pods,
    spec.remediation,
    { generation: metadata.generation, repairRequest: annotation },
    now,
  );

  const before = status?.repairs ?? [];
  const grace = spec.mcp.handshake.startupGraceSeconds;
  const stopped = stopOf(spec);
  const paid = spec.upstream.provider !== 'Sandbox' && spec.verification.image !== 'Never';
  const workload = { ...input.workload, deadlineSeconds: spec.rollout.deadlineSeconds };
  const { verified, since, servedAt, current: known } = status?.revisions ?? {};
  const current = workload.revision ?? 'none';
  const kept = verified !== undefined && input.isKept(verified);
  const judgement = judge(
    {
      pods,
      current,
      verified,
      kept,
      since: known === current && since !== undefined ? at(since) : undefined,
      rollingOut: workload.rollingOut,
      served: known === current && servedAt !== undefined,
      deadlineSeconds: workload.deadlineSeconds,
    },
    now,
  );
  const replacementOf = new Map(
    before.flatMap(({ id, action, replacement }) => (action === 'RestartPod' ? [[id, replacement] as const] : [])),
  );
  const takenBeside = (id: string): Set<string> =>
    new Set([...replacementOf].flatMap(([other, pod]) => (other === id || pod === undefined ? [] : [pod])));
  const advanced = before.map((record): Advanced => {
    if (record.outcome !== undefined || (spec.paused && !awaitsDeletion(record, pods) && !awaitsTemplate(record)))
      return { record, next: { kind: 'Settled' } };
    const verification = input.takeVerification(record.id);
    const taken = takenBeside(record.id);
    const moved = advance(
      record,
      { pods, verification, actor, graceSeconds: grace, paid, stopped, workload, taken },
      now,
    );
    replacementOf.set(record.id, moved.record.replacement);
    return moved;
  });
  const repairs = advanced.map(({ record }) => record);
  const settled = repairs.filter(
    (record, index) => record.outcome !== undefined && before[index]?.outcome === undefined,
  );
  const withdrawn = settled.some((record) => record.action === 'RolloutRestart' && !has(record, 'RolloutRestarted'));
  const repairRequest = annotation !== undefined && annotation !== previous.handledRequest ? annotation : undefined;
  const decision = decide(
    {
      pods,
      policy: spec.remediation,
      handshake: spec.mcp.handshake,
      paused: spec.paused,
      state,
      repairs,
      repairRequest,
      judgement,
      current,
      rollbackTo: kept && verified !== current ? verified : undefined,
    },
    now,
  );
  return {
    pods,
    state,
    repairs,
    steps: advanced.filter((_, index) => before[index]?.outcome === undefined),
    settled,
    withdrawn,
    decision,
    judgement,
  };
}
