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
  api: { ready: number; wanted: number; refused: Trouble | null };
  mcp: { ready: number; wanted: number; rollingOut: boolean; refused: Trouble | null };
  sandbox: { ready: number };
}

export function workloadState({ mcp, api, sandbox }: LiveWorkloads): WorkloadState {
  const wanted = mcp?.spec?.replicas ?? 0;
  const status = mcp?.status;
  return {
    api: {
      ready: api?.status?.readyReplicas ?? 0,
      wanted: api?.spec?.replicas ?? 1,
      refused: refusalOf(api?.status?.conditions),
    },
    mcp: {
      ready: status?.readyReplicas ?? 0,
      wanted,
      refused: refusalOf(status?.conditions),
      rollingOut:
        mcp === undefined ||
        (status?.observedGeneration ?? 0) < (mcp.metadata?.generation ?? 1) ||
        (status?.updatedReplicas ?? 0) < wanted ||
        (status?.replicas ?? 0) > (status?.updatedReplicas ?? 0),
    },
    sandbox: { ready: sandbox?.status?.readyReplicas ?? 0 },
  };
}
