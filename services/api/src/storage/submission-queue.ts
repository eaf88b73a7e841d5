import { type Kysely, sql } from 'kysely';
import { hasEnded } from '../tasks/task.ts';
import type { Database } from './database.ts';
import { ensurePool, roomOf, usedSlots } from './pools.ts';
import type { Claim, SubmissionQueue } from './store.ts';
import type { Tables } from './tables.ts';
import { TASK_COLUMNS, taskOf } from './tables.ts';
import { columnsOf, type TaskTableOptions } from './task-table.ts';

type Ids = readonly { readonly id: string }[];

/** A claim of this replica that it does not know by then: its answer was lost, it is not just on its way. */
const UNKNOWN_AFTER_MS = 60_000;

export function createSubmissionQueue(db: Database, { concurrency, onEnded }: TaskTableOptions): SubmissionQueue {
  const isAlive = (replica: unknown) =>
    sql<boolean>`EXISTS (SELECT 1 FROM replicas WHERE replicas.id = ${replica} AND replicas.alive_until > ${db.clock})`;

  const take = async (trx: Kysely<Tables>, ids: Ids, replica: string, sent: boolean): Promise<Claim[]> => {
    if (ids.length === 0) return [];
    const rows = await trx
      .updateTable('tasks')
      .set(({ eb }) => ({
        state: 'submitting',
        lease_owner: replica,
        fence: eb('fence', '+', 1),
        ...(sent ? {} : { sent_at: db.clock }),
      }))
      .where(
        'id',
        'in',
        ids.map(({ id }) => id),
      )
      .returning(TASK_COLUMNS)
      .returning(sql<number>`coalesce(octet_length(payload), 0)`.as('bytes'))
      .execute();
    return rows.map((row) => ({ task: taskOf(row), pool: row.pool, fence: row.fence, sent, bytes: row.bytes }));
  };

  const claimOpen = (
    replica: string,
    now: number,
    limit: number,
    isRunning: (taskId: string) => boolean,
  ): Promise<Claim[]> =>
    db.durably(async (trx) => {
      const open = await trx
        .selectFrom('tasks')
        .select(['id', 'lease_owner'])
        .where('state', '=', 'submitting')
        .where('attempt_at', '<=', now)
        .where(({ or, and, eb, not }) =>
          or([
            eb('lease_owner', 'is', null),
            not(isAlive(sql.ref('lease_owner'))),
            and([eb('lease_owner', '=', replica), eb('attempt_at', '<=', now - UNKNOWN_AFTER_MS)]),
          ]),
        )
        .orderBy('attempt_at')
        .limit(limit)
        // What another replica is claiming is passed over, not waited for.
        .$if(db.shared, (query) => query.forUpdate().skipLocked())
        .execute();
      const ids = open.filter(({ id, lease_owner: owner }) => owner !== replica || !isRunning(id));
      return await take(trx, ids, replica, true);
    });

  const claimQueued = (pool: string, replica: string, now: number, limit: number): Promise<Claim[]> =>
    db.durably(async (trx) => {
      const room = await roomOf(trx, db, { pool, now, concurrency });
      if (room.slots <= 0 && !room.idle) return [];
      const waiting = await trx
        .selectFrom('tasks')
        .select(['id', 'slots'])
        .where('pool', '=', pool)
        .where('state', '=', sql.lit('queued'))
        .where('attempt_at', '<=', now)
        .orderBy('created_at')
        .limit(limit)
        .$if(db.shared, (query) => query.forUpdate().skipLocked())
        .execute();
      // In order: a small task does not overtake a large one for ever.
      const fitting = [];
      let { slots } = room;
      for (const task of waiting) {
        if (task.slots > slots && !(room.idle && fitting.length === 0)) break;
        slots -= task.slots;
        fitting.push(task);
      }
      return await take(trx, fitting, replica, false);
    });

  const claimed = (claim: Claim, on: Kysely<Tables> = db.kysely) =>
    on
      .updateTable('tasks')
      .where('id', '=', claim.task.id)
      .where('fence', '=', claim.fence)
      .where('state', '=', 'submitting');

  return {
    async claimSubmissions(replica, now, limit, isRunning = () => true) {
      const claims = await claimOpen(replica, now, limit, isRunning);
      const pools = await db.kysely
        .selectFrom('tasks')
        .select('pool')
        .distinct()
        .where('state', '=', sql.lit('queued'))
        .where('attempt_at', '<=', now)
        .execute();
      for (const { pool } of pools) {
        if (claims.length >= limit) break;
        const taken = await claimQueued(pool, replica, now, limit - claims.length);
        for (const { task } of taken) db.announce(task.id, task);
        claims.push(...taken);
      }
      return claims;
    },
    markSent: (claim, replica) =>
      db.durably(async (trx) => {
        const { numUpdatedRows } = await claimed(claim, trx)
          .set({ sent_at: db.clock })
          .where(isAlive(replica))
          .executeTakeFirst();
        return numUpdatedRows > 0n;
      }),
    async settle(claim, change) {
      const write = (on: Kysely<Tables>) =>
        claimed(claim, on)
          .set({ ...columnsOf(change), lease_owner: null })
          .returning(TASK_COLUMNS)
          .executeTakeFirst();
      // The caller is told that the key is free, and makes a new task with it.
      const row = await (change.releaseKey === true ? db.durably(write) : write(db.kysely));
      if (row === undefined) return undefined;
      const task = taskOf(row);
      db.announce(task.id, task);
      if (hasEnded(task)) onEnded?.(task);
      return task;
    },
    async putBack(claim, attemptAt) {
      await claimed(claim).set({ lease_owner: null, attempt_at: attemptAt }).execute();
    },
    async requeue(claim, { now, limitUntil, blockedUntil }) {
      await db.kysely.transaction().execute(async (trx) => {
        await ensurePool(trx, claim.pool);
        const running = await usedSlots(trx, claim.pool, ['submitted', 'processing']);
        await trx
          .updateTable('pools')
          .set({
            blocked_until: blockedUntil,
            ...(limitUntil === undefined ? {} : { slots: Math.max(1, running), slots_until: limitUntil }),
          })
          .where('pool', '=', claim.pool)
          .execute();
        await trx
          .updateTable('tasks')
          .set({ state: 'queued', sent_at: null, lease_owner: null, attempt_at: now })
          .where('id', '=', claim.task.id)
          .where('fence', '=', claim.fence)
          .where('state', '=', 'submitting')
          .execute();
      });
      db.announce(claim.task.id);
    },
    async nextSubmission() {
      const row = await db.kysely
        .selectFrom('tasks')
        .select(({ fn }) => fn.min('attempt_at').as('at'))
        .where('attempt_at', 'is not', null)
        .where(({ or, eb, not }) =>
          or([eb('state', '=', 'queued'), eb('lease_owner', 'is', null), not(isAlive(sql.ref('lease_owner')))]),
        )
        .executeTakeFirst();
      return row?.at ?? undefined;
    },
  };
}
