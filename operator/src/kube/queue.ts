/** Which key is worked on next, and when. */
import type { Clock } from './clock.ts';
import type { QueueMetrics } from './metrics.ts';

/** `high`: something happened. `low`: only a look whether all is still well. */
export type Priority = 'high' | 'low';

export interface QueueOptions {
  readonly work: (key: string) => Promise<void>;
  readonly workers: number;
  readonly clock: Clock;
  readonly metrics?: QueueMetrics | undefined;
  /** First delay of `addRateLimited`, doubling from there (5 ms). */
  readonly baseDelayMs?: number | undefined;
  /** Its upper bound (300 s). */
  readonly maxDelayMs?: number | undefined;
  /** Told what `work` threw; the queue goes on. */
  readonly onError?: ((key: string, error: unknown) => void) | undefined;
}

export interface WorkQueue {
  add(key: string, priority?: Priority): void;
  /** Where one is pending already, the earlier of both counts. */
  addAfter(key: string, delayMs: number, priority?: Priority): void;
  /** Later with every call, until `forget`. */
  addRateLimited(key: string): void;
  /** Ends the growth of `addRateLimited`. */
  forget(key: string): void;
  /** Calls of `addRateLimited` since the last `forget`. */
  retries(key: string): number;
  /** Keys that wait to be worked on now. */
  readonly length: number;
  /** Begins to work; keys may be added before. */
  start(): void;
  /** Takes no more keys, drops delayed ones, and resolves when the running ones (with `drain` the waiting ones too) are done. */
  shutDown(options?: { readonly drain?: boolean }): Promise<void>;
}

export declare function createQueue(options: QueueOptions): WorkQueue;
