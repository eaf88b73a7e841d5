/** What is written to the status when a repair begins. Nothing is done before that stands. */
import type { Acts, Plan } from '../plan.ts';
import { type KlingApi, REPAIR_ANNOTATION } from '../resource/klingapi.ts';
import type { RepairRecord } from '../resource/status.ts';
import type { Repair } from './decide.ts';
import { afterRepair, repairRequestOf } from './incident.ts';
import { lastRequestBefore } from './last-request.ts';
import { beginRepair } from './record.ts';
import { recurrenceOf } from './recurrence.ts';
import type { LogFinding } from './signatures.ts';

export interface WriteDownInput {
  klingApi: KlingApi;
  plan: Plan;
  repair: Repair;
  /** Identity of the operator process. */
  actor: string;
  /** The container's log around the failure. */
  log: string;
  /** What a signature found in it. */
  finding: LogFinding | undefined;
}

type Written = Required<Pick<Acts, 'repairs' | 'state' | 'repairsTotal' | 'restartedAt' | 'rejected' | 'begun'>>;

/** Repairs kept in the status. */
const KEPT = 10;

export function writeDown({ klingApi, plan, repair, actor, log, finding }: WriteDownInput, now: number): Written {
  const { pod } = repair;
  const { minHealthySeconds, logExcerpt } = klingApi.spec.remediation;
  const diagnosis = finding?.diagnosis ?? pod.diagnosis ?? 'HttpError';
  const lastRequest = logExcerpt === 'None' ? undefined : lastRequestBefore(log);
  const state = afterRepair(plan.state, klingApi.spec.remediation, repair, now);
  // a revision that is taken back is no answer to whoever asked for a repair
  const request =
    repair.trigger === 'Rollout' ? undefined : repairRequestOf(klingApi.metadata.annotations?.[REPAIR_ANNOTATION]);
  const begun = beginRepair(
    {
      repair,
      pods: plan.pods,
      actor,
      attempt: state.attempt ?? 1,
      diagnosis,
      log: logExcerpt === 'None' ? undefined : finding?.excerpt,
      recurrence: recurrenceOf({ pod, diagnosis, repairs: plan.repairs, minHealthySeconds, lastRequest }, now),
    },
    now,
  );
  const underWay = plan.repairs.filter((record) => record.outcome === undefined);
  const ended = plan.repairs.filter((record) => record.outcome !== undefined);
  return {
    ...asked(klingApi, repair, begun),
    repairs: [begun, ...underWay, ...ended].slice(0, KEPT),
    state: { ...state, ...(request === undefined ? {} : { handledRequest: request }) },
    repairsTotal: (klingApi.status?.repairsTotal ?? 0) + 1,
    begun,
  };
}

/** What a repair of all pods writes into the revisions; the template that is applied follows from there. */
function asked(klingApi: KlingApi, repair: Repair, begun: RepairRecord): Pick<Written, 'restartedAt' | 'rejected'> {
  const { revision } = repair.pod;
  const { generation } = klingApi.metadata;
  const why = { reason: begun.diagnosis, message: repair.message.slice(0, 1024) };
  return {
    restartedAt: repair.action === 'RolloutRestart' ? begun.startedAt : undefined,
    rejected:
      repair.action === 'Rollback' && revision !== null
        ? { revision, generation, at: begun.startedAt, ...why }
        : undefined,
  };
}
