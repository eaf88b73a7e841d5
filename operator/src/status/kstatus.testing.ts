/**
 * What `kubectl`-like tools, Argo CD and Flux make of an object: the part of kstatus that applies to a custom resource.
 * Source: kubernetes-sigs/cli-utils, pkg/kstatus/status (core.go, status.go), 2026.
 */
export type Kstatus = 'InProgress' | 'Current' | 'Failed' | 'Terminating';

export interface StatusBearer {
  readonly metadata: { readonly generation?: number; readonly deletionTimestamp?: unknown };
  readonly status?: {
    readonly observedGeneration?: number | undefined;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[] | undefined;
  };
}

export function kstatus({ metadata, status }: StatusBearer): Kstatus {
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  const observed = status?.observedGeneration;
  if (observed !== undefined && observed !== metadata.generation) return 'InProgress';
  for (const condition of status?.conditions ?? []) {
    if (condition.type === 'Reconciling' && condition.status === 'True') return 'InProgress';
    if (condition.type === 'Stalled' && condition.status === 'True') return 'Failed';
  }
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  // an object that says nothing of itself counts as finished
  return ready === undefined || ready.status === 'True' ? 'Current' : 'InProgress';
}
