/** Informers, a queue and a reconcile function, tied together. */
import type { KubernetesObject } from '@kubernetes/client-node';
import type { CacheReader, Change } from './cache.ts';
import type { Clock, Timer } from './clock.ts';
import { createDeadline, type Deadline } from './deadline.ts';
import { isConflict, TerminalError } from './errors.ts';
import type { KubeLog } from './log.ts';
import type { KubeMetrics, ReconcileResult } from './metrics.ts';
import { createQueue, type Priority } from './queue.ts';

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
export function sourceOf<T extends KubernetesObject>(
  cache: CacheReader<T>,
  keysOf: (change: Change<T>) => readonly ObjectKey[],
): Source {
  return {
    subscribe: (enqueue) =>
      cache.onChange((change) => {
        for (const key of keysOf(change)) enqueue(key, 'high');
      }),
    keys: () => cache.list().flatMap((object) => keysOf({ type: 'Added', object, initial: true })),
    whenSynced: () => cache.whenSynced(),
  };
}

/** When a key is to be looked at again, if nothing happens before; never where `requeueAfterMs` is absent. */
export interface Requeue {
  readonly requeueAfterMs?: number;
  /** `low` where that look only asks whether all is still well: what happened meanwhile goes first (`high`). */
  readonly priority?: Priority;
}

export interface ControllerOptions {
  readonly name: string;
  readonly sources: readonly Source[];
  readonly reconcile: (key: ObjectKey, signal: AbortSignal) => Promise<Requeue>;
  /** Milliseconds before which no look at this key may begin (0). */
  readonly waitMs?: ((key: ObjectKey) => number) | undefined;
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

const nameOf = ({ namespace, name }: ObjectKey): string => `${namespace}/${name}`;
const keyOf = (text: string): ObjectKey => {
  const [namespace = '', name = ''] = text.split('/', 2);
  return { namespace, name };
};

export function createController(options: ControllerOptions): Controller {
  const { name, sources, reconcile, workers, clock, random, log } = options;
  const { reconcileTimeoutMs = 30_000, resyncMs = 600_000 } = options;
  const metrics = options.metrics.controller(name);
  const stopping = new AbortController();
  const queue = createQueue({ work: look, workers, clock, metrics: options.metrics.queue(name) });
  const ends: (() => void)[] = [];
  let resyncTimer: Timer | undefined;
  let stopped = false;
  metrics.workers(workers);

  async function look(text: string): Promise<void> {
    const soon = options.waitMs?.(keyOf(text)) ?? 0;
    if (soon > 0) {
      queue.addAfter(text, soon, 'high');
      return;
    }
    const deadline = createDeadline(clock, reconcileTimeoutMs, stopping.signal);
    const begun = clock.monotonic();
    metrics.active(1);
    const result = await reconcileOnce(text, deadline);
    metrics.active(-1);
    metrics.reconciled(result, (clock.monotonic() - begun) / 1000);
    deadline.clear();
  }

  /** Never throws, whatever the reconcile does. */
  async function reconcileOnce(text: string, deadline: Deadline): Promise<ReconcileResult> {
    try {
      const { requeueAfterMs, priority = 'high' } = await reconcile(keyOf(text), deadline.signal);
      queue.forget(text);
      if (requeueAfterMs === undefined) return 'success';
      queue.addAfter(text, requeueAfterMs, priority);
      return requeueAfterMs > 0 ? 'requeue_after' : 'requeue';
    } catch (error) {
      if (deadline.ended() === 'caller') return 'error';
      return failed(text, error, deadline.ended() === 'deadline');
    }
  }

  function failed(text: string, error: unknown, timedOut: boolean): ReconcileResult {
    const { namespace, name: object } = keyOf(text);
    const fields = {
      controller: name,
      namespace,
      name: object,
      error: error instanceof Error ? error.message : String(error),
    };
    if (error instanceof TerminalError) {
      metrics.failed('error');
      metrics.failed('terminal');
      queue.forget(text);
      log.error(fields, 'Reconcile failed for good');
      return 'error';
    }
    queue.addRateLimited(text);
    if (isConflict(error)) {
      // someone was faster: the next look sees what they did
      log.info(fields, 'Reconcile was overtaken');
      return 'requeue';
    }
    metrics.failed('error');
    if (timedOut) metrics.failed('timeout');
    if (isMistake(error)) {
      metrics.failed('panic');
      log.error({ ...fields, stack: error.stack }, 'Reconcile ran into a mistake of the program');
    } else {
      log.warn({ ...fields, retries: queue.retries(text), timedOut }, 'Reconcile failed');
    }
    return 'error';
  }

  const enqueueAll = (priority: Priority) => {
    for (const source of sources) for (const key of source.keys()) queue.add(nameOf(key), priority);
  };

  function resync(): void {
    // a tenth earlier or later, so that several operators do not look in step
    resyncTimer = clock.setTimeout(
      () => {
        enqueueAll('low');
        resync();
      },
      resyncMs * (0.9 + 0.2 * random()),
    );
  }

  return {
    async start() {
      await Promise.all(sources.map((source) => source.whenSynced()));
      if (stopped) return;
      resync();
      for (const source of sources) ends.push(source.subscribe((key, priority) => queue.add(nameOf(key), priority)));
      enqueueAll('low');
      queue.start();
      log.info({ controller: name, workers }, 'Controller was started');
    },
    enqueue: (key, priority) => queue.add(nameOf(key), priority),
    async stop(graceMs = 10_000) {
      stopped = true;
      for (const end of ends) end();
      clock.clearTimeout(resyncTimer);
      const timer = clock.setTimeout(() => stopping.abort(), graceMs);
      await queue.shutDown();
      clock.clearTimeout(timer);
    },
  };
}

/** What only a mistake of ours throws, as a panic would be; the TypeError of a failed `fetch` has a cause. */
const isMistake = (error: unknown): error is Error =>
  (error instanceof TypeError && error.cause === undefined) ||
  error instanceof ReferenceError ||
  error instanceof RangeError ||
  error instanceof SyntaxError;
