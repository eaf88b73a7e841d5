/** What the workloads themselves say: how many pods are wanted and ready, and whether a rollout is under way. */
import type { V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import { refusalOf, type Trouble } from './workload-trouble.ts';

export interface LiveWorkloads {
  mcp: V1Deployment | undefined;
  api: V1StatefulSet | undefined;
  /** Undefined where there is none, or none yet. */
  sandbox: V1Deployment | undefined;
}

export interface WorkloadState {
  /** `refused`: why the API server takes no more pods of the workload, or null. */
  api: { ready: number; wanted: number; rollingOut: boolean; refused: Trouble | null };
  mcp: { ready: number; wanted: number; rollingOut: boolean; refused: Trouble | null };
  sandbox: { ready: number };
}

/** Whether pods of an older template are left, or could be: what they answer says nothing of the newest. */
function isRollingOut(workload: V1Deployment | V1StatefulSet | undefined, wanted: number): boolean {
  if (workload === undefined) return true;
  const { observedGeneration = 0, updatedReplicas = 0, replicas = 0 } = workload.status ?? {};
  return (
    observedGeneration < (workload.metadata?.generation ?? 1) || updatedReplicas < wanted || replicas > updatedReplicas
  );
}

export function workloadState({ mcp, api, sandbox }: LiveWorkloads): WorkloadState {
  const wanted = { mcp: mcp?.spec?.replicas ?? 0, api: api?.spec?.replicas ?? 1 };
  return {
    api: {
      ready: api?.status?.readyReplicas ?? 0,
      wanted: wanted.api,
      rollingOut: isRollingOut(api, wanted.api),
      refused: refusalOf(api?.status?.conditions),
    },
    mcp: {
      ready: mcp?.status?.readyReplicas ?? 0,
      wanted: wanted.mcp,
      rollingOut: isRollingOut(mcp, wanted.mcp),
      refused: refusalOf(mcp?.status?.conditions),
    },
    sandbox: { ready: sandbox?.status?.readyReplicas ?? 0 },
  };
}
