/**
 * Keeps one list and watch going for ever and feeds a cache with it. Whatever ends the watch (the server, a reset, silence, an
 * error, a listener that throws), it goes on after a while: from where it was, or with a new list where that is lost.
 */

import { createBackoff } from './backoff.ts';
import type { Feed } from './cache.ts';
import type { KubeClient, WatchEvent } from './client.ts';
import { type Clock, sleep } from './clock.ts';
import { isGone, KubeError } from './errors.ts';
import type { Kind } from './kinds.ts';
import { listAll } from './list-all.ts';
import type { KubeLog } from './log.ts';
import type { ReflectorMetrics } from './metrics.ts';
import { prune } from './prune.ts';
import { createWatchdog } from './watchdog.ts';

export interface ReflectorStatus {
  /** Whether the first list is in. */
  readonly synced: boolean;
  /** Whether a watch is established right now. */
  readonly watching: boolean;
  /** When list and watch last worked, in milliseconds of the clock; null before. */
  readonly lastSyncAt: number | null;
  readonly lastEventAt: number | null;
  /** Since when there is no established watch; null while there is one. */
  readonly downSince: number | null;
  readonly lastError: string | null;
}

export interface Reflector {
  readonly name: string;
  start(): void;
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
  status(): ReflectorStatus;
}

export interface ReflectorOptions {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly kind: Kind;
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly feed: Feed;
  /** Field managers whose `managedFields` entries are kept; absent: all of them. */
  readonly keepManagers?: readonly string[] | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: KubeLog;
  readonly metrics?: ReflectorMetrics | undefined;
}

/** A watch asks the server to end it after this time: seconds from, and seconds more at random. Source: client-go. */
const WATCH_SECONDS = { least: 300, spread: 300 };
/** A bookmark comes about every minute, so this much silence is a dead connection. */
const SILENCE_MS = 90_000;
/** How long after its own time limit the server may still be about to end the watch. */
const OVERTIME_MS = 30_000;
/** Failed watches in a row after which what we stand on is doubted, and listed again. */
const DOUBT_AFTER = 4;

export function createReflector(options: ReflectorOptions): Reflector {
  const { client, kind, namespace, labelSelector, feed, keepManagers, clock, random, log, metrics } = options;
  const name = namespace === undefined ? kind.plural : `${namespace}/${kind.plural}`;
  const backoff = createBackoff(clock, random);
  const stopped = new AbortController();
  let running: Promise<void> | undefined;
  /** Where the next watch goes on; undefined: list first. */
  let resourceVersion: string | undefined;
  let status: ReflectorStatus = {
    synced: false,
    watching: false,
    lastSyncAt: null,
    lastEventAt: null,
    downSince: null,
    lastError: null,
  };
  const note = (part: Partial<ReflectorStatus>) => {
    status = { ...status, ...part };
  };

  metrics?.observeDown(() => (status.downSince === null ? 0 : Math.max(0, clock.now() - status.downSince) / 1000));

  async function list(): Promise<string> {
    const begun = clock.monotonic();
    const found = await listAll(client, kind, { namespace, labelSelector, signal: stopped.signal });
    feed.replace(found.items.map((object) => prune(object, keepManagers)));
    note({ synced: true, lastSyncAt: clock.now() });
    metrics?.listed((clock.monotonic() - begun) / 1000);
    return found.resourceVersion;
  }

  function take(event: WatchEvent): void {
    const { object, type } = event;
    if (type === 'DELETED') feed.remove(object);
    else if (type !== 'BOOKMARK') feed.upsert(prune(object, keepManagers));
    if (type !== 'BOOKMARK') note({ lastEventAt: clock.now() });
    metrics?.event(type);
    // only once it is in the cache: what failed half way comes again
    resourceVersion = object.metadata?.resourceVersion ?? resourceVersion;
  }

  async function watch(from: string): Promise<void> {
    const timeoutSeconds = Math.round(WATCH_SECONDS.least + random() * WATCH_SECONDS.spread);
    const watchdog = createWatchdog(clock, SILENCE_MS, timeoutSeconds * 1000 + OVERTIME_MS, stopped.signal);
    try {
      const events = client.watch(kind, {
        namespace,
        labelSelector,
        resourceVersion: from,
        timeoutSeconds,
        signal: watchdog.signal,
        onBytes() {
          watchdog.fed();
          if (!status.watching) {
            backoff.established();
            if (status.lastError !== null) log.info({ reflector: name }, 'Watch was established again');
            note({ watching: true, downSince: null, lastError: null });
          }
          note({ lastSyncAt: clock.now() });
        },
      });
      for await (const event of events) {
        take(event);
        backoff.progressed();
      }
    } catch (error) {
      throw watchdog.cut() ?? error;
    } finally {
      watchdog.stop();
    }
  }

  async function once(): Promise<void> {
    try {
      resourceVersion ??= await list();
      await watch(resourceVersion);
      metrics?.watchEnded('Closed');
    } catch (error) {
      if (stopped.signal.aborted) return;
      const failure = error instanceof Error ? error : new Error(String(error));
      const resumable = error instanceof KubeError && error.retryable && !isGone(error) && error.code !== 'Malformed';
      if (!resumable || backoff.failures() >= DOUBT_AFTER) resourceVersion = undefined;
      if (error instanceof KubeError) backoff.notBefore(error.retryAfterMs);
      note({ lastError: failure.message });
      metrics?.watchEnded(error instanceof KubeError ? error.code : 'Internal');
      log[isGone(error) ? 'info' : 'warn'](
        { reflector: name, error: failure.message, relist: resourceVersion === undefined },
        'Watch ended',
      );
    }
  }

  async function run(): Promise<void> {
    note({ downSince: clock.now() });
    while (!stopped.signal.aborted) {
      await once();
      note({ watching: false, downSince: status.downSince ?? clock.now() });
      await sleep(clock, backoff.next(), stopped.signal);
    }
  }

  return {
    name,
    start() {
      running ??= run();
    },
    async stop() {
      stopped.abort();
      await running;
    },
    status: () => status,
  };
}
