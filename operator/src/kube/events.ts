/** Events of `events.k8s.io/v1`: what people see under `kubectl describe`. Never in the way of the work. */
import { redact as takeSecrets } from '@klingapi/probe';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { KubeClient } from './client.ts';
import { type Clock, sleep } from './clock.ts';
import { KubeError } from './errors.ts';
import { microTime } from './lease.ts';
import type { KubeLog } from './log.ts';

export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid: string;
}

export interface EventInput {
  readonly regarding: EventSubject;
  readonly related?: EventSubject | undefined;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, at most 128 characters. */
  readonly reason: string;
  /** CamelCase: what was done. */
  readonly action: string;
  /** Cut at 1024 bytes, secrets taken out. */
  readonly note: string;
}

export interface EventRecorder {
  /** Returns at once; never throws. */
  event(input: EventInput): void;
  /** Waits until what was recorded so far is written or given up, at most this long (5 s). */
  flush(timeoutMs?: number): Promise<void>;
}

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, 'apply'>;
  readonly clock: Clock;
  readonly log: KubeLog;
  /** e.g. `klingapi.dev/operator` */
  readonly reportingController: string;
  /** Name of the pod. */
  readonly reportingInstance: string;
  /** Takes secrets out of a note, on top of what is taken out anyway. */
  readonly redact?: ((note: string) => string) | undefined;
}

/** The same event within this time counts up one series. */
const SERIES_MS = 600_000;
/** Most events that wait to be written; later ones are dropped. */
const WAITING = 500;
const SERIES_KEPT = 2_000;
const TRIES = 5;
/** Limits of the API server. */
const LONGEST = { note: 1024, reason: 128, instance: 128 };

interface Series {
  readonly name: string;
  readonly firstAt: number;
  lastAt: number;
  count: number;
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, clock, log, reportingController, reportingInstance, redact = (note) => note } = options;
  const series = new Map<string, Series>();
  /** What is to be written, by series: a newer count replaces one that still waits. */
  const waiting = new Map<string, { input: EventInput; entry: Series }>();
  const spam = createSpamFilter(clock);
  let writing: Promise<void> | undefined;
  let serial = 0;

  function record(raw: EventInput): void {
    const input = { ...raw, note: cut(takeSecrets(redact(raw.note), [], LONGEST.note * 4), LONGEST.note) };
    const key = keyOf(input);
    const now = clock.now();
    forgetOld(now);
    let entry = series.get(key);
    if (entry === undefined) {
      serial += 1;
      entry = { name: nameOf(input, now, serial), firstAt: now, lastAt: now, count: 1 };
    } else {
      entry.lastAt = now;
      entry.count += 1;
    }
    // last in order, so that the first in order is the oldest
    series.delete(key);
    series.set(key, entry);
    if (!waiting.has(key) && (waiting.size >= WAITING || !spam.allows(input.regarding.uid))) return;
    waiting.set(key, { input, entry });
    writing ??= writeAll().finally(() => {
      writing = undefined;
    });
  }

  function forgetOld(now: number): void {
    for (const [key, { lastAt }] of series) {
      if (now - lastAt <= SERIES_MS && series.size < SERIES_KEPT) return;
      series.delete(key);
    }
  }

  async function writeAll(): Promise<void> {
    for (let next = waiting.entries().next().value; next !== undefined; next = waiting.entries().next().value) {
      waiting.delete(next[0]);
      await write(objectOf(next[1].input, { ...next[1].entry }));
    }
  }

  async function write(object: KubernetesObject): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        // an apply of the whole event makes it, or makes it anew where the API server has expired it
        await client.apply(object, { fieldManager: reportingController, force: true });
        return;
      } catch (error) {
        const again = error instanceof KubeError && error.retryable && attempt < TRIES;
        if (!again) {
          log.warn(
            { event: object.metadata?.name, namespace: object.metadata?.namespace, error: String(error) },
            'Event could not be written',
          );
          return;
        }
        await sleep(clock, 1000 * 2 ** (attempt - 1));
      }
    }
  }

  function objectOf(input: EventInput, { name, firstAt, lastAt, count }: Series) {
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name, namespace: input.regarding.namespace ?? 'default' },
      eventTime: microTime(firstAt),
      ...(count > 1 ? { series: { count, lastObservedTime: microTime(lastAt) } } : {}),
      type: input.type,
      reason: input.reason.slice(0, LONGEST.reason),
      action: input.action.slice(0, LONGEST.reason),
      note: input.note,
      regarding: input.regarding,
      ...(input.related === undefined ? {} : { related: input.related }),
      reportingController,
      reportingInstance: reportingInstance.slice(0, LONGEST.instance),
    };
  }

  return {
    event(input) {
      try {
        record(input);
      } catch (error) {
        log.error({ reason: input.reason, error: String(error) }, 'Event could not be recorded');
      }
    },
    async flush(timeoutMs = 5_000) {
      const enough = new AbortController();
      await Promise.race([writing, sleep(clock, timeoutMs, enough.signal)]);
      enough.abort();
    },
  };
}

const keyOf = ({ regarding, related, type, reason, action, note }: EventInput): string =>
  JSON.stringify([
    regarding.kind,
    regarding.namespace,
    regarding.name,
    regarding.uid,
    related?.uid,
    type,
    reason,
    action,
    note,
  ]);

/** Unique in its namespace, as `kubectl` and client-go name them; names of objects have at most 253 characters. */
const nameOf = ({ regarding }: EventInput, now: number, serial: number): string =>
  `${regarding.name.slice(0, 200)}.${(BigInt(now) * 1_000_000n + BigInt(serial % 1_000_000)).toString(16)}`;

/** The API server counts bytes. */
function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  let end = bytes - Buffer.byteLength('…');
  const raw = Buffer.from(text);
  // not within a character
  while (end > 0 && ((raw[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${raw.subarray(0, end).toString('utf8')}…`;
}

/** 25 at once for one object, then one each 5 minutes. Source: client-go's spam filter. */
function createSpamFilter(clock: Clock) {
  const BURST = 25;
  const REFILL_MS = 300_000;
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    allows(uid: string): boolean {
      const now = clock.monotonic();
      const known = buckets.get(uid) ?? { tokens: BURST, at: now };
      const tokens = Math.min(BURST, known.tokens + (now - known.at) / REFILL_MS);
      buckets.delete(uid);
      for (const [other, { at }] of buckets) {
        if (now - at < BURST * REFILL_MS) break;
        buckets.delete(other);
      }
      buckets.set(uid, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
      return tokens >= 1;
    },
  };
}
