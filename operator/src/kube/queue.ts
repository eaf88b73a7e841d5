/** Which key is worked on next, and when. */
import type { Clock, Timer } from './clock.ts';
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

/** Whoever only waits to be looked at waits no longer than this, however much happens elsewhere. */
const PATIENCE_MS = 60_000;

interface Delayed {
  readonly at: number;
  readonly priority: Priority;
  readonly timer: Timer;
}

export function createQueue(options: QueueOptions): WorkQueue {
  const { work, workers, clock, metrics, baseDelayMs = 5, maxDelayMs = 300_000, onError } = options;
  /** Keys that wait, in order, with the time since when. */
  const lanes: Record<Priority, Map<string, number>> = { high: new Map(), low: new Map() };
  /** Keys that are worked on, with the time since when. */
  const running = new Map<string, number>();
  /** Keys that came while they were worked on. */
  const again = new Map<string, Priority>();
  const delayed = new Map<string, Delayed>();
  const failures = new Map<string, number>();
  const idle = Promise.withResolvers<void>();
  let started = false;
  let closing = false;
  let scheduled = false;

  metrics?.observeRunning(() => {
    const now = clock.monotonic();
    return [...running.values()].map((since) => (now - since) / 1000);
  });

  const tellDepth = () => {
    metrics?.depth('high', lanes.high.size);
    metrics?.depth('low', lanes.low.size);
  };

  function wait(key: string, priority: Priority): void {
    if (running.has(key)) {
      if (!again.has(key)) metrics?.added();
      if (again.get(key) !== 'high') again.set(key, priority);
      return;
    }
    if (lanes.high.has(key)) return;
    const since = lanes.low.get(key);
    if (since !== undefined) {
      if (priority === 'low') return;
      lanes.low.delete(key);
    } else {
      metrics?.added();
    }
    lanes[priority].set(key, since ?? clock.monotonic());
    tellDepth();
    schedule();
  }

  /** Not within the call that adds: who adds is in the middle of something, such as telling others of a change. */
  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(dispatch);
  }

  function next(): Map<string, number> {
    if (lanes.high.size === 0) return lanes.low;
    const oldest = lanes.low.values().next().value;
    return oldest !== undefined && clock.monotonic() - oldest >= PATIENCE_MS ? lanes.low : lanes.high;
  }

  function dispatch(): void {
    scheduled = false;
    if (!started) return;
    while (running.size < workers) {
      const lane = next();
      const first = lane.entries().next().value;
      if (first === undefined) break;
      lane.delete(first[0]);
      tellDepth();
      void run(first[0], first[1]);
    }
    if (closing && running.size === 0 && lanes.high.size + lanes.low.size === 0) idle.resolve();
  }

  async function run(key: string, since: number): Promise<void> {
    const begun = clock.monotonic();
    running.set(key, begun);
    metrics?.waited((begun - since) / 1000);
    try {
      await work(key);
    } catch (error) {
      onError?.(key, error);
    } finally {
      metrics?.worked((clock.monotonic() - begun) / 1000);
      running.delete(key);
      const priority = again.get(key);
      again.delete(key);
      if (priority !== undefined) lanes[priority].set(key, clock.monotonic());
      tellDepth();
      schedule();
    }
  }

  function later(key: string, delayMs: number, priority: Priority): void {
    const at = clock.monotonic() + delayMs;
    const pending = delayed.get(key);
    const strongest = pending?.priority === 'high' ? 'high' : priority;
    if (pending !== undefined) clock.clearTimeout(pending.timer);
    const due = pending === undefined ? at : Math.min(pending.at, at);
    const timer = clock.setTimeout(() => {
      delayed.delete(key);
      wait(key, strongest);
    }, due - clock.monotonic());
    delayed.set(key, { at: due, priority: strongest, timer });
  }

  return {
    add(key, priority = 'high') {
      if (!closing) wait(key, priority);
    },
    addAfter(key, delayMs, priority = 'low') {
      if (closing) return;
      if (delayMs <= 0) wait(key, priority);
      else later(key, delayMs, priority);
    },
    addRateLimited(key) {
      if (closing) return;
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      metrics?.retried();
      later(key, Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(count, 50)), 'high');
    },
    forget(key) {
      failures.delete(key);
    },
    retries: (key) => failures.get(key) ?? 0,
    get length() {
      return lanes.high.size + lanes.low.size;
    },
    start() {
      started = true;
      schedule();
    },
    async shutDown({ drain = false } = {}) {
      closing = true;
      for (const { timer } of delayed.values()) clock.clearTimeout(timer);
      delayed.clear();
      if (!drain || !started) {
        lanes.high.clear();
        lanes.low.clear();
        again.clear();
        tellDepth();
      }
      schedule();
      if (!started) return;
      await idle.promise;
    },
  };
}
