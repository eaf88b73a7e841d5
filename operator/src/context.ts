/** Everything a look at one KlingApi works with; made once in `main.ts`, by hand in tests. */
import type { Logger } from '@klingapi/management';
import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import type { Announce } from './announce.ts';
import type { ChildApplier } from './apply/applier.ts';
import type { Secrets } from './apply/secrets.ts';
import type { ImageSettings } from './children/child.ts';
import type { OperatorPods } from './children/network-policy.ts';
import type { KubeClient } from './kube/client.ts';
import type { OperatorMetrics } from './metrics.ts';
import type { PodObserver } from './observe/pods.ts';
import type { KlingApi } from './resource/klingapi.ts';
import type { Turns } from './rollout/turns.ts';
import type { Verifier } from './verification/verifier.ts';

export interface Caches {
  klingApi(namespace: string, name: string): KlingApi | undefined;
  child(kind: string, namespace: string, name: string): KubernetesObject | undefined;
  mcpPods(klingApi: KlingApi): V1Pod[];
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
  announce: Announce;
  metrics: OperatorMetrics;
  log: Logger;
  images: ImageSettings;
  /** Whom network policies let in to every pod. */
  operator: OperatorPods;
  /** Who may roll for a change that came with the operator. */
  turns: Turns;
  /** Why repairs are held back everywhere, or null. */
  storm: () => string | null;
  /** Identity of this process, in records. */
  actor: string;
  now: () => number;
}
