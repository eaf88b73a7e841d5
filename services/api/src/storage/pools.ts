import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';
import type { Tables } from './tables.ts';

/**
 * Kling lets a number of tasks run at once per account, model and kind of
 * result: a pool. What counts is submitted, runs, or may have been submitted.
 */
export interface PoolQuestion {
  readonly pool: string;
  readonly now: number;
  /** The configured limit; undefined: only what a refusal of Kling taught. */
  readonly concurrency: number | undefined;
}

/** What a pool can take: so many slots, and one task of any size while nothing runs, lest a large one wait for ever. */
export interface Room {
  readonly slots: number;
  readonly idle: boolean;
}

/** Holds the pool's row until the transaction ends, so that replicas ask one after another. */
export async function roomOf(trx: Kysely<Tables>, db: Database, question: PoolQuestion): Promise<Room> {
  const { pool, now, concurrency } = question;
  if (concurrency !== undefined) await ensurePool(trx, pool);
  const learnt = await trx
    .selectFrom('pools')
    .selectAll()
    .where('pool', '=', pool)
    .$if(db.shared, (query) => query.forUpdate())
    .executeTakeFirst();
  if (learnt !== undefined && learnt.blocked_until > now) return { slots: 0, idle: false };
  const limits = [concurrency, learnt !== undefined && learnt.slots_until > now ? learnt.slots : null];
  const limit = Math.min(...limits.map((each) => each ?? Number.POSITIVE_INFINITY));
  if (limit === Number.POSITIVE_INFINITY) return { slots: limit, idle: true };
  const used = await usedSlots(trx, pool, ['submitting', 'submitted', 'processing']);
  return { slots: limit - used, idle: used === 0 };
}

/** Whether a new task may go out at once: there is room, and nobody waits for it. */
export async function hasRoom(
  trx: Kysely<Tables>,
  db: Database,
  { slots, ...question }: PoolQuestion & { readonly slots: number },
): Promise<boolean> {
  const room = await roomOf(trx, db, question);
  if (room.slots < slots && !room.idle) return false;
  const waiting = await trx
    .selectFrom('tasks')
    .select('id')
    .where('pool', '=', question.pool)
    // As a literal: SQLite takes a partial index only for a condition that it can read.
    .where('state', '=', sql.lit('queued'))
    .limit(1)
    .executeTakeFirst();
  return waiting === undefined;
}

export async function usedSlots(trx: Kysely<Tables>, pool: string, states: readonly string[]): Promise<number> {
  const row = await trx
    .selectFrom('tasks')
    .select(sql<number>`coalesce(sum(slots), 0)`.$castTo<number | string>().as('used'))
    .where('pool', '=', pool)
    .where('state', 'in', states)
    .executeTakeFirstOrThrow();
  return Number(row.used);
}

export async function ensurePool(trx: Kysely<Tables>, pool: string): Promise<void> {
  await trx
    .insertInto('pools')
    .values({ pool, slots: null, slots_until: 0, blocked_until: 0 })
    .onConflict((conflict) => conflict.column('pool').doNothing())
    .execute();
}
