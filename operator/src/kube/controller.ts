/** Informers, a queue and a reconcile function, tied together. */
import type { KubernetesObject } from '@kubernetes/client-node';
import type { CacheReader, Change } from './cache.ts';
import type { Clock } from './clock.ts';
import type { KubeLog } from './log.ts';
import type { KubeMetrics } from './metrics.ts';
import type { Priority } from './queue.ts';

export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

/** What wakes the controller: a cache, and whose look a change asks for. */
export interface Source {
  /** Ends the subscription. */
  subscribe(enqueue: (key: ObjectKey, priority: Priority) => void): () => void;
  /** Every key it knows of, for the start and for resyncs. */
  keys(): ObjectKey[];
  whenSynced(): Promise<void>;
}

/** @param keysOf the keys a change asks for; none where it does not matter */
export declare function sourceOf<T extends KubernetesObject>(
  cache: CacheReader<T>,
  keysOf: (change: Change<T>) => readonly ObjectKey[],
): Source;

export interface ControllerOptions {
  readonly name: string;
  readonly sources: readonly Source[];
  readonly reconcile: (key: ObjectKey, signal: AbortSignal) => Promise<{ readonly requeueAfterMs?: number }>;
  readonly workers: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: KubeLog;
  readonly metrics: Pick<KubeMetrics, 'queue' | 'controller'>;
  /** The signal of a reconcile aborts then (30 s). */
  readonly reconcileTimeoutMs?: number | undefined;
  /** Every key is looked at again after about this time (10 min). */
  readonly resyncMs?: number | undefined;
}

export interface Controller {
  /** Waits for the caches, then works. Call it when leading. */
  start(): Promise<void>;
  enqueue(key: ObjectKey, priority?: Priority): void;
  /** Takes no more work and resolves when running reconciles are done; their signals abort after `graceMs` (10 s). */
  stop(graceMs?: number): Promise<void>;
}

export declare function createController(options: ControllerOptions): Controller;
