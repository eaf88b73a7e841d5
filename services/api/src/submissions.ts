import { type KlingClient, KlingError, REQUESTS } from '@klingapi/kling';
import type { Logger } from '@klingapi/management';
import type { Changes } from './changes.ts';
import { GIVE_UP_MS, progressOf } from './progress.ts';
import type { TaskStore } from './store.ts';
import type { Task } from './task.ts';
import { upstreamCode, upstreamDetail } from './upstream-problem.ts';

export interface SubmissionsOptions {
  readonly store: TaskStore;
  readonly client: KlingClient;
  readonly changes: Changes;
  readonly logger: Logger;
  readonly now: () => number;
  /** Told when a task is upstream and has to be followed. */
  readonly onSubmitted: () => void;
  /** Milliseconds until a task of unknown outcome is looked up again; doubles up to a minute. */
  readonly retryMs?: number;
}

export interface Submissions {
  /**
   * Makes a stored task upstream. Calls for the same task share one submission.
   * Resolves also when the outcome stays unknown; the task then stays
   * `submitting` and is looked up until it is known.
   *
   * @throws KlingError when certainly no task was made
   */
  submit(task: Task): Promise<void>;
  /** As {@link submit}, but starts nothing: for a task that another request stored. */
  join(task: Task): Promise<void>;
  /** Takes up what an earlier process left in `submitting`. */
  recover(): void;
  /** Waits for what is under way and starts nothing more. */
  drain(): Promise<void>;
}

/**
 * The rule: a task is on disk, under the id that Kling will know it by, before
 * Kling hears of it. After that it is only ever looked up under this id, and
 * sent (again) with the same id, which Kling accepts once.
 */
export function createSubmissions(options: SubmissionsOptions): Submissions {
  const { store, client, changes, logger, now } = options;
  const running = new Map<string, Promise<void>>();
  const timers = new Set<NodeJS.Timeout>();
  const firstDelay = options.retryMs ?? 5000;
  let draining = false;

  const once = (task: Task, run: () => Promise<void>): Promise<void> => {
    const known = running.get(task.id);
    if (known !== undefined) return known;
    const promise = run()
      .catch((error: unknown) => {
        // Our own fault (the storage, as a rule), perhaps after Kling took the task: not to be left until a restart.
        if (!(error instanceof KlingError)) askAgain(task, firstDelay);
        throw error;
      })
      .finally(() => running.delete(task.id));
    running.set(task.id, promise);
    return promise;
  };

  /** @param releaseKey whether the idempotency key is free for a new task, which is then paid (again) */
  const fail = (task: Task, code: string, message: string, releaseKey: boolean): void => {
    const change = { state: 'failed', updatedAt: now(), error: { code, message }, releaseKey } as const;
    changes.tell(store.change(task.id, change));
    logger.warn({ task: task.id, kind: task.kind, reason: code }, 'task refused');
  };

  /** Asks again later, for a day. After that the key stays taken: a task may have been made for it. */
  const askAgain = (task: Task, delay: number): void => {
    if (now() - task.createdAt <= GIVE_UP_MS) {
      later(task, Math.min(60_000, delay));
      return;
    }
    const message = 'whether Kling made this task could not be found out within a day';
    fail(task, 'upstream_outcome_unknown', message, false);
  };

  const create = async (task: Task, retryIn: number): Promise<void> => {
    try {
      const request = REQUESTS[task.kind].parse(store.payload(task.id));
      const upstream = await client.create(task.kind, request, task.id);
      changes.tell(store.change(task.id, progressOf(task, upstream, now())));
      logger.info({ task: task.id, kind: task.kind, upstream: upstream.id }, 'task submitted');
      options.onSubmitted();
    } catch (error) {
      if (!(error instanceof KlingError)) throw error;
      if (!error.outcomeUnknown) {
        fail(task, upstreamCode(error), upstreamDetail(error), true);
        throw error;
      }
      logger.warn({ task: task.id, kind: task.kind, reason: upstreamCode(error) }, 'outcome of a submission unknown');
      askAgain(task, retryIn);
    }
  };

  /** First asks, then sends: the other process may have got through. */
  const resume = async (task: Task, delay: number): Promise<void> => {
    if (store.find(task.id)?.state !== 'submitting') return;
    try {
      const upstream = await client.find(task.kind, task.id);
      if (upstream !== undefined) {
        changes.tell(store.change(task.id, progressOf(task, upstream, now())));
        logger.info({ task: task.id, kind: task.kind, upstream: upstream.id }, 'task found upstream');
        options.onSubmitted();
        return;
      }
      await create(task, delay * 2);
    } catch (error) {
      if (!(error instanceof KlingError)) throw error;
      // `create` has stored its certain refusal; what is left is a look-up that failed.
      if (store.find(task.id)?.state !== 'submitting') return;
      askAgain(task, delay * 2);
    }
  };

  const later = (task: Task, delay: number): void => {
    if (draining) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      inBackground(task, delay);
    }, delay);
    timers.add(timer);
  };

  const inBackground = (task: Task, delay: number): void => {
    once(task, () => resume(task, delay)).catch((error: unknown) =>
      logger.error({ task: task.id, err: error }, 'submission failed'),
    );
  };

  return {
    submit: (task) => once(task, () => create(task, firstDelay)),
    join: (task) => running.get(task.id) ?? Promise.resolve(),
    recover() {
      for (const task of store.submitting()) inBackground(task, firstDelay);
    },
    async drain() {
      draining = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.allSettled(running.values());
    },
  };
}
