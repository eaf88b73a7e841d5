import { type KlingClient, KlingError } from '@klingapi/kling';
import type { Logger } from '@klingapi/management';
import type { Changes } from './changes.ts';
import { KEPT_MS, pollDelay, progressOf } from './progress.ts';
import type { TaskStore } from './store.ts';
import { hasEnded, type Task } from './task.ts';
import { upstreamCode } from './upstream-problem.ts';

export interface PollerOptions {
  readonly store: TaskStore;
  /** One that does not retry: the poller comes back by itself. */
  readonly client: KlingClient;
  readonly changes: Changes;
  readonly logger: Logger;
  readonly now: () => number;
}

export interface Poller {
  /** Looks at the clock again: a task was added. */
  wake(): void;
  stop(): Promise<void>;
}

/** Asked at once in one round; the vendor limits nothing here, our sockets do. */
const AT_ONCE = 8;
/** A task that Kling does not show yet may only be slow to appear. */
const APPEARS_WITHIN_MS = 60_000;
const LONGEST_SLEEP_MS = 60_000;

/** Follows every task that Kling works on, until it has ended. */
export function startPoller(options: PollerOptions): Poller {
  const { store, client, changes, logger, now } = options;
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> | undefined;
  let stopped = false;

  const ask = async (task: Task): Promise<void> => {
    const age = now() - task.createdAt;
    try {
      const upstream = await client.find(task.kind, task.upstreamId ?? task.id);
      const changed = store.change(task.id, upstream === undefined ? vanished(age) : progressOf(task, upstream, now()));
      if (hasEnded(changed)) logger.info({ task: task.id, kind: task.kind, state: changed.state }, 'task ended');
      changes.tell(changed);
    } catch (error) {
      if (!(error instanceof KlingError)) throw error;
      logger.warn({ task: task.id, reason: upstreamCode(error) }, 'task could not be looked up');
      const delay = Math.min(60_000, pollDelay(age) * 5);
      changes.tell(
        store.change(task.id, age > KEPT_MS ? lost() : { updatedAt: task.updatedAt, pollAt: now() + delay }),
      );
    }
  };

  const vanished = (age: number) =>
    age > APPEARS_WITHIN_MS ? lost() : { updatedAt: now(), pollAt: now() + pollDelay(age) };
  const lost = () => ({
    updatedAt: now(),
    state: 'failed' as const,
    pollAt: null,
    error: { code: 'upstream_task_lost', message: 'Kling does not have this task any more' },
  });

  const plan = (): void => {
    clearTimeout(timer);
    if (stopped || round !== undefined) return;
    const due = store.nextDue();
    if (due === undefined) return;
    timer = setTimeout(turn, Math.max(0, Math.min(LONGEST_SLEEP_MS, due - now())));
  };

  const turn = (): void => {
    round = Promise.all(store.due(now(), AT_ONCE).map(ask))
      .then(
        () => undefined,
        (error: unknown) => {
          logger.error({ err: error }, 'polling failed');
          // What cannot be stored now must not be asked for in a loop.
          return new Promise<void>((resolve) => setTimeout(resolve, 1000));
        },
      )
      .finally(() => {
        round = undefined;
        plan();
      });
  };

  plan();
  return {
    wake: plan,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await round;
    },
  };
}
