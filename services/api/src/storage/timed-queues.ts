import { sql } from 'kysely';
import type { Database } from './database.ts';
import type { NotifyQueue, PollQueue, ResultQueue } from './store.ts';
import { POLLED_COLUMNS, polledOf, TASK_COLUMNS, type TasksTable, taskOf } from './tables.ts';

type Timer = 'poll_at' | 'mirror_at' | 'purge_at' | 'notify_at';

/**
 * Work that is due at a time kept in a column. Who claims it moves the time
 * ahead, so that the work comes back by itself when the claimer dies; doing it
 * twice costs nothing, so there is no fence.
 */
export function createTimedQueues(db: Database): PollQueue & ResultQueue & NotifyQueue {
  const next = (timer: Timer) => async () => {
    const row = await db.kysely
      .selectFrom('tasks')
      .select(({ fn }) => fn.min(timer).as('at'))
      .where(timer, 'is not', null)
      .executeTakeFirst();
    return row?.at ?? undefined;
  };
  const claim = async (
    timer: Timer,
    columns: readonly (keyof TasksTable)[],
    now: number,
    limit: number,
    hiddenUntil: number,
  ): Promise<unknown[]> => {
    // Nothing is due as a rule, and to look is far cheaper than to write.
    if (((await next(timer)()) ?? Number.POSITIVE_INFINITY) > now) return [];
    const due = db.kysely.selectFrom('tasks').where(timer, '<=', now).orderBy(timer).limit(limit);
    // Nobody is there to hide it from.
    if (hiddenUntil <= now) return await due.select(columns).execute();
    return await db.kysely
      .updateTable('tasks')
      .set({ [timer]: hiddenUntil })
      .where(
        'id',
        'in',
        due.select('id').$if(db.shared, (query) => query.forUpdate().skipLocked()),
      )
      .returning(columns)
      .execute();
  };
  const claimWhole = (timer: Timer) => async (now: number, limit: number, hiddenUntil: number) =>
    (await claim(timer, TASK_COLUMNS, now, limit, hiddenUntil)).map(taskOf);
  const update = (id: string) => db.kysely.updateTable('tasks').where('id', '=', id);

  return {
    async claimPolls(...when) {
      return (await claim('poll_at', POLLED_COLUMNS, ...when)).map(polledOf);
    },
    nextPoll: next('poll_at'),
    async pollAgain(tasks) {
      if (tasks.length === 0) return;
      const times = tasks.map(({ id, pollAt }) => sql`when ${id} then cast(${pollAt} as bigint)`);
      await db.kysely
        .updateTable('tasks')
        .set({ poll_at: sql<number>`case id ${sql.join(times, sql` `)} end` })
        .where(
          'id',
          'in',
          tasks.map(({ id }) => id),
        )
        // A task that has ended meanwhile is not to be asked about again.
        .where('poll_at', 'is not', null)
        .execute();
    },
    claimNotifications: claimWhole('notify_at'),
    nextNotification: next('notify_at'),
    async notified({ id, notifyAttempts = 0 }, claimedUntil, at) {
      await update(id)
        .set({ notify_at: at, notify_attempts: at === null ? 0 : notifyAttempts + 1 })
        // Another time than that of the claim: something happened since.
        .where('notify_at', '=', claimedUntil)
        .execute();
    },
    claimMirrors: claimWhole('mirror_at'),
    nextMirror: next('mirror_at'),
    claimPurges: claimWhole('purge_at'),
    nextPurge: next('purge_at'),
    async setFiles(id, { files, mirrorAt, purgeAt }) {
      await update(id)
        .set({
          ...(files === undefined ? {} : { files: JSON.stringify(files) }),
          ...(mirrorAt === undefined ? {} : { mirror_at: mirrorAt }),
          ...(purgeAt === undefined ? {} : { purge_at: purgeAt }),
        })
        .execute();
    },
  };
}
