/** Everything a look at one KlingApi works with; made once in `main.ts`, by hand in tests. */
import type { Logger } from '@klingapi/management';
import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import type { Announce } from './announce.ts';
import type { ChildApplier } from './apply/applier.ts';
import type { Secrets } from './apply/secrets.ts';
import type { ImageSettings } from './children/child.ts';
import type { OperatorPods } from './children/network-policy.ts';
import type { LiveDefinition } from './definition/live.ts';
import type { KubeClient } from './kube/client.ts';
import type { Gate } from './kube/gate.ts';
import type { OptionalKind } from './kube/kinds.ts';
import type { OperatorMetrics } from './metrics.ts';
import type { PodObserver } from './observe/pods.ts';
import type { Signature } from './remediation/signatures.ts';
import type { KlingApi } from './resource/klingapi.ts';
import type { Turns } from './rollout/turns.ts';
import type { Pace } from './status/pace.ts';
import type { StatusWriter } from './status/write.ts';
import type { Trace } from './tracing/trace.ts';
import type { ExposureCheck } from './verification/exposure-check.ts';
import type { Verifier } from './verification/verifier.ts';

export interface Caches {
  klingApi(namespace: string, name: string): KlingApi | undefined;
  child(kind: string, namespace: string, name: string): KubernetesObject | undefined;
  mcpPods(klingApi: KlingApi): V1Pod[];
  apiPods(klingApi: KlingApi): V1Pod[];
  /** Whether the cluster has this kind, and it can be read. */
  serves(kind: OptionalKind): boolean;
  /** The kept templates of its MCP workload. */
  revisions(klingApi: KlingApi): KubernetesObject[];
}

export interface Context {
  client: KubeClient;
  caches: Caches;
  applier: ChildApplier;
  secrets: Secrets;
  observer: PodObserver;
  verifier: Verifier;
  exposure: ExposureCheck;
  announce: Announce;
  statuses: Pick<StatusWriter, 'write'>;
  /** What the CustomResourceDefinition in the cluster knows. */
  definition: Pick<LiveDefinition, 'finding'>;
  pace: Pick<Pace, 'wrote'>;
  /** The record and the deletion that it fences: an operator that is told to go lets both happen or none. */
  together: Gate['together'];
  trace: Trace;
  metrics: OperatorMetrics;
  log: Logger;
  images: ImageSettings;
  /** Whom network policies let in to every pod. */
  operator: OperatorPods;
  /** Log lines that name a cause. */
  signatures: readonly Signature[];
  /** Who may roll for a change that came with the operator. */
  turns: Turns;
  /** Why the repair of a pod that fails since then, in milliseconds, is held back, or null. */
  storm: (since: number) => string | null;
  /** Identity of this process, in records. */
  actor: string;
  now: () => number;
}
