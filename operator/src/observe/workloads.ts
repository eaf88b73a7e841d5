/** What the workloads themselves say: how many pods are wanted and ready, and whether a rollout is under way. */
import type { V1Deployment, V1StatefulSet } from '@kubernetes/client-node';
import type { Caches } from '../context.ts';
import { apiWorkload } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames } from '../resource/names.ts';

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
  api: { ready: number; wanted: number };
  mcp: { ready: number; wanted: number; rollingOut: boolean };
  sandbox: { ready: number };
}

export function workloadState({ mcp, api, sandbox }: LiveWorkloads): WorkloadState {
  const wanted = mcp?.spec?.replicas ?? 0;
  const status = mcp?.status;
  return {
    api: { ready: api?.status?.readyReplicas ?? 0, wanted: api?.spec?.replicas ?? 1 },
    mcp: {
      ready: status?.readyReplicas ?? 0,
      wanted,
      rollingOut:
        mcp === undefined ||
        (status?.observedGeneration ?? 0) < (mcp.metadata?.generation ?? 1) ||
        (status?.updatedReplicas ?? 0) < wanted ||
        (status?.replicas ?? 0) > (status?.updatedReplicas ?? 0),
    },
    sandbox: { ready: sandbox?.status?.readyReplicas ?? 0 },
  };
}
