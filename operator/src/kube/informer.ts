/** One kind, watched in some namespaces or in all: a cache and the reflectors that feed it. */
import type { KubernetesObject } from '@kubernetes/client-node';
import { type CacheReader, createCache } from './cache.ts';
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import type { Kind } from './kinds.ts';
import type { KubeLog } from './log.ts';
import type { KubeMetrics } from './metrics.ts';
import { createReflector, type Reflector } from './reflector.ts';

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

export function createInformer<T extends KubernetesObject>(options: InformerOptions): Informer<T> {
  const { client, kind, namespaces, labelSelector, indexLabels, keepManagers, clock, random, log, metrics } = options;
  const cache = createCache<T>({
    kind,
    indexLabels,
    onListenerError: (error) => log.error({ kind: kind.kind, error: String(error) }, 'Listener of a cache failed'),
  });
  const scopes = namespaces.length === 0 ? [undefined] : [...new Set(namespaces)];
  const reflectors = scopes.map((namespace) =>
    createReflector({
      client,
      kind,
      namespace,
      labelSelector,
      keepManagers,
      feed: cache.feed(namespace),
      clock,
      random,
      log,
      metrics: metrics?.reflector(kind.kind, namespace),
    }),
  );
  return {
    cache,
    reflectors,
    start: () => {
      for (const reflector of reflectors) reflector.start();
    },
    async stop() {
      await Promise.all(reflectors.map((reflector) => reflector.stop()));
    },
  };
}
