import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';
import type { Added, NewTask } from './store.ts';
import type { Tables } from './tables.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * What the tasks of the subject came to, by the rows themselves: nothing else has
 * to be counted, and replicas share it. Holds the subject until the transaction
 * ends, so that creates at once do not all see the same room.
 */
export async function overLimit(
  trx: Kysely<Tables>,
  db: Database,
  task: NewTask,
): Promise<Extract<Added, { outcome: 'over-limit' }> | undefined> {
  const { createsPerMinute, unitsPerDay } = task.limits ?? {};
  if (createsPerMinute === undefined && unitsPerDay === undefined) return undefined;
  if (db.shared) await sql`SELECT pg_advisory_xact_lock(hashtext(${task.subject}))`.execute(trx);
  const now = task.createdAt;
  const since = (from: number) =>
    trx.selectFrom('tasks').where('subject', '=', task.subject).where('created_at', '>', from);

  if (createsPerMinute !== undefined) {
    const row = await since(now - MINUTE_MS)
      .select(({ fn }) => [fn.countAll<number | string>().as('made'), fn.min('created_at').as('oldest')])
      .executeTakeFirstOrThrow();
    if (Number(row.made) >= createsPerMinute) return refusal('createsPerMinute', Number(row.oldest) + MINUTE_MS - now);
  }
  if (unitsPerDay !== undefined) {
    const row = await since(now - DAY_MS)
      // A task that failed without a charge costs nothing.
      .select(
        sql<number | string>`coalesce(sum(coalesce(units, case when state = 'failed' then 0 else estimate end)), 0)`.as(
          'units',
        ),
      )
      .select(({ fn }) => fn.min('created_at').as('oldest'))
      .executeTakeFirstOrThrow();
    if (Number(row.units) + (task.estimate ?? 0) > unitsPerDay) {
      return refusal('unitsPerDay', Number(row.oldest ?? now) + DAY_MS - now);
    }
  }
  return undefined;
}

function refusal(limit: 'createsPerMinute' | 'unitsPerDay', waitMs: number) {
  return { outcome: 'over-limit' as const, limit, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
}
