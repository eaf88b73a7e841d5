/** What the workloads themselves say: how many pods are wanted and ready, and whether a rollout is under way. */
import type { V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import type { Caches } from '../context.ts';
import { apiWorkload } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames } from '../resource/names.ts';
import { refusalOf, type Trouble } from './workload-trouble.ts';

export interface LiveWorkloads {
  mcp: V1Deployment | undefined;
  /** A StatefulSet on SQLite, a Deployment on PostgreSQL. */
  api: V1StatefulSet | V1Deployment | undefined;
  /** Undefined where there is none, or none yet. */
  sandbox: V1Deployment | undefined;
}

/** As the caches have them. */
export function liveWorkloads({ metadata, spec }: KlingApi, caches: Pick<Caches, 'child'>): LiveWorkloads {
  const names = childNames(metadata.name);
  const deployment = (name: string) => caches.child('Deployment', metadata.namespace, name) as V1Deployment | undefined;
  return {
    mcp: deployment(names.mcp),
    api:
      apiWorkload(spec) === 'Deployment'
        ? deployment(names.api)
        : (caches.child('StatefulSet', metadata.namespace, names.api) as V1StatefulSet | undefined),
    sandbox: deployment(names.sandbox),
  };
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
