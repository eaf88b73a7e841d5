import { BATCH_SIZE, type KlingClient, KlingError, type Look } from '@klingapi/kling';
import type { Logger } from '@klingapi/management';
import type { WorkMetrics } from '../metrics/work.ts';
import type { PolledTask, Store } from '../storage/store.ts';
import { upstreamCode } from '../upstream-problem.ts';
import { type Loop, startLoop } from './loop.ts';
import { KEPT_MS, type Progress, pollAfter } from './progress.ts';
import { hasEnded } from './task.ts';

export interface PollerOptions {
  readonly store: Store;
  /** One that does not retry: the poller comes back by itself. */
  readonly client: Pick<KlingClient, 'findMany'>;
  readonly progress: Progress;
  readonly logger: Logger;
  readonly now: () => number;
  readonly onPoll?: WorkMetrics['onPoll'];
}

/** Batches under way at once. */
const BATCHES = 2;
/** Between rounds that are full: however many tasks there are, Kling is not asked more than 20 times a second. */
const BREATH_MS = 100;
/** A replica that dies while it asks leaves its tasks to the others after so long. To be asked for twice costs nothing. */
const HIDDEN_MS = 15_000;
/** A task that Kling does not show yet may only be slow to appear. */
const APPEARS_WITHIN_MS = 60_000;
/** Other replicas submit tasks too. */
const LOOK_MS = 1000;

/** Follows every task that Kling works on, until it has ended. */
export function startPoller(options: PollerOptions): Loop {
  const { store, client, progress, logger, now } = options;

  /** @returns when to ask again; undefined when the task itself says so */
  const note = async (task: PolledTask, answer: Look | undefined): Promise<number | undefined> => {
    options.onPoll?.(answer === undefined ? 'missing' : answer instanceof KlingError ? 'failed' : 'found');
    const age = now() - task.createdAt;
    if (answer === 'unchanged') return askAfter(age);
    if (answer instanceof KlingError) {
      logger.warn({ task: task.id, reason: upstreamCode(answer) }, 'task could not be looked up');
      if (age <= KEPT_MS) return now() + Math.min(60_000, progress.pollDelay(age) * 5);
      await store.progress(task.id, lost());
    } else if (answer !== undefined) {
      if (answer.status === task.state && answer.id === task.upstreamId) return askAfter(age);
      const changed = await store.progress(task.id, progress.of(task, answer));
      // Kling was behind what was known already; nothing was written, so nothing says when to ask again.
      if (changed.pollAt !== null && changed.pollAt <= now()) return askAfter(age);
      if (hasEnded(changed)) logger.info({ task: task.id, kind: task.kind, state: changed.state }, 'task ended');
    } else if (age > APPEARS_WITHIN_MS) await store.progress(task.id, lost());
    else return askAfter(age);
    return undefined;
  };

  const askAfter = (age: number) => pollAfter(now(), progress.pollDelay(age));

  const lost = () => ({
    updatedAt: now(),
    state: 'failed' as const,
    pollAt: null,
    error: { code: 'upstream_task_lost', message: 'Kling does not have this task any more' },
  });

  const ask = async (tasks: readonly PolledTask[]): Promise<void> => {
    const wanted = tasks.map((task) => ({
      ...{ task, kind: task.kind, id: task.upstreamId ?? task.id },
      status: task.upstreamId === null ? undefined : task.state,
    }));
    const answers = await client.findMany(wanted);
    const again: { id: string; pollAt: number }[] = [];
    for (const { task, id } of wanted) {
      const pollAt = await note(task, answers.get(id));
      if (pollAt !== undefined) again.push({ id: task.id, pollAt });
    }
    await store.pollAgain(again);
  };

  return startLoop({
    name: 'poller',
    logger,
    longestMs: store.shared ? LOOK_MS : undefined,
    async turn() {
      const tasks = await store.claimPolls(now(), BATCH_SIZE * BATCHES, now() + (store.shared ? HIDDEN_MS : 0));
      const batches: PolledTask[][] = [];
      for (let at = 0; at < tasks.length; at += BATCH_SIZE) batches.push(tasks.slice(at, at + BATCH_SIZE));
      await Promise.all(batches.map(ask));
      const next = await store.nextPoll();
      const isFull = tasks.length === BATCH_SIZE * BATCHES;
      return next === undefined ? undefined : Math.max(next - now(), isFull ? BREATH_MS : 0);
    },
  });
}
