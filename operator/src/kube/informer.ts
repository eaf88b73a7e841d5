/** One kind, watched in some namespaces or in all: a cache and the reflectors that feed it. */
import type { KubernetesObject } from '@kubernetes/client-node';
import type { CacheReader } from './cache.ts';
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import type { Kind } from './kinds.ts';
import type { KubeLog } from './log.ts';
import type { KubeMetrics } from './metrics.ts';
import type { Reflector } from './reflector.ts';

export interface InformerOptions {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly kind: Kind;
  /** Empty: all namespaces. */
  readonly namespaces: readonly string[];
  readonly labelSelector?: string | undefined;
  readonly indexLabels?: readonly string[] | undefined;
  /** Field managers whose `managedFields` entries are kept; the others' are dropped. */
  readonly keepManagers?: readonly string[] | undefined;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: KubeLog;
  readonly metrics?: Pick<KubeMetrics, 'reflector'> | undefined;
}

export interface Informer<T extends KubernetesObject> {
  readonly cache: CacheReader<T>;
  readonly reflectors: readonly Reflector[];
  start(): void;
  stop(): Promise<void>;
}

export declare function createInformer<T extends KubernetesObject>(options: InformerOptions): Informer<T>;
