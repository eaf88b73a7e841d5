import { createHash } from 'node:crypto';
import { signWebhook } from '@klingapi/kling';
import type { Logger } from '@klingapi/management';
import type { Egress } from '../egress/egress.ts';
import { EgressError } from '../egress/egress.ts';
import type { WorkMetrics } from '../metrics/work.ts';
import type { Store } from '../storage/store.ts';
import { GATHER_MS, type Loop, startLoop } from '../tasks/loop.ts';
import { describeTask, type Task } from '../tasks/task.ts';
import { callbackKey } from './callback-key.ts';

export interface NotifierOptions {
  readonly store: Store;
  readonly egress: Egress;
  /** What the keys of callers are derived from; undefined: messages are not signed. */
  readonly masterKey: string | undefined;
  readonly logger: Logger;
  readonly now: () => number;
  readonly publicUrl: string | undefined;
  /** Milliseconds until the second try. */
  readonly retryMs?: number;
  readonly onSent?: WorkMetrics['onCallbackSent'];
}

/** Messages under way at once. */
const AT_ONCE = 16;
const TIMEOUT_MS = 10_000;
/** Longer than a try takes; a replica that dies meanwhile leaves the message to the others. */
const HIDDEN_MS = 30_000;
const LONGEST_DELAY_MS = 2 * 3_600_000;
/** With the delays doubling from five seconds to two hours: a little more than a day. */
const MOST_TRIES = 24;

/** When to try again after so many failures, in milliseconds; null: give up. Pure. */
export function tryAgainAfter(failures: number, first = 5000): number | null {
  if (failures >= MOST_TRIES) return null;
  return Math.min(LONGEST_DELAY_MS, first * 2 ** (failures - 1));
}

/** Tells callers of their tasks until they have answered 2xx. */
export function startNotifier(options: NotifierOptions): Loop {
  const { store, egress, masterKey, logger, now, publicUrl, retryMs } = options;

  const send = async (task: Task, url: string): Promise<string | undefined> => {
    const body = JSON.stringify(describeTask(task, publicUrl));
    // The same for each try of one change: receivers drop what came before.
    const id = `msg_${createHash('sha256').update(body).digest('hex').slice(0, 32)}`;
    const key = masterKey === undefined ? undefined : callbackKey(masterKey, task.subject);
    const signature = key === undefined ? {} : signWebhook(key, id, Math.floor(now() / 1000), body);
    const headers = { 'content-type': 'application/json', 'webhook-id': id, ...signature };
    const status = await egress.post(url, headers, body, AbortSignal.timeout(TIMEOUT_MS));
    return status >= 200 && status < 300 ? undefined : `HTTP ${status}`;
  };

  const tell = async (task: Task, claimedUntil: number): Promise<void> => {
    const { callbackUrl, notifyAttempts = 0 } = task;
    if (callbackUrl === undefined) return await store.notified(task, claimedUntil, null);
    let failure: string | undefined;
    let isFinal = false;
    try {
      failure = await send(task, callbackUrl);
    } catch (error) {
      isFinal = error instanceof EgressError;
      failure = error instanceof EgressError ? error.message : 'nobody answered';
    }
    if (failure === undefined) options.onSent?.('delivered');
    if (failure === undefined) return await store.notified(task, claimedUntil, null);
    const delay = isFinal ? null : tryAgainAfter(notifyAttempts + 1, retryMs);
    options.onSent?.(delay === null ? 'given_up' : 'failed');
    logger.warn({ task: task.id, reason: failure, again: delay !== null }, 'caller could not be told');
    await store.notified(task, claimedUntil, delay === null ? null : now() + delay);
  };

  const loop = startLoop({
    name: 'notifier',
    logger,
    longestMs: store.shared ? 1000 : undefined,
    async turn() {
      const until = now() + HIDDEN_MS;
      const tasks = await store.claimNotifications(now(), AT_ONCE, until);
      await Promise.all(tasks.map((task) => tell(task, until)));
      const next = await store.nextNotification();
      return next === undefined ? undefined : next - now();
    },
  });
  const unsubscribe = store.onChange((_id, task) => {
    if (task === undefined || task.callbackUrl !== undefined) loop.wake(GATHER_MS);
  });
  return {
    wake: loop.wake,
    async stop() {
      unsubscribe();
      await loop.stop();
    },
  };
}
