import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';
import type { OverLimit, Spending } from './store.ts';
import type { Tables } from './tables.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * What the tasks and paid calls of the subject came to, by the rows themselves: nothing else has
 * to be counted, and replicas share it. Holds the subject until the transaction
 * ends, so that creates at once do not all see the same room.
 */
export async function overLimit(trx: Kysely<Tables>, db: Database, task: Spending): Promise<OverLimit | undefined> {
  const { createsPerMinute, unitsPerDay } = task.limits ?? {};
  if (createsPerMinute === undefined && unitsPerDay === undefined) return undefined;
  if (db.shared) await sql`SELECT pg_advisory_xact_lock(hashtext(${task.subject}))`.execute(trx);
  const now = task.createdAt;
  const since = (from: number) =>
    trx.selectFrom('tasks').where('subject', '=', task.subject).where('created_at', '>', from);
  const callsSince = (from: number) =>
    trx.selectFrom('calls').where('subject', '=', task.subject).where('created_at', '>', from);
  /** Until the oldest of them is out of the window. */
  const until = (windowMs: number, ...oldest: (number | null)[]) =>
    Math.min(...oldest.map((at) => Number(at ?? now))) + windowMs - now;

  if (createsPerMinute !== undefined) {
    const from = now - MINUTE_MS;
    const tasks = await since(from)
      .select(({ fn }) => [fn.countAll<number | string>().as('made'), fn.min('created_at').as('oldest')])
      .executeTakeFirstOrThrow();
    const calls = await callsSince(from)
      .select(({ fn }) => [fn.countAll<number | string>().as('made'), fn.min('created_at').as('oldest')])
      .executeTakeFirstOrThrow();
    if (Number(tasks.made) + Number(calls.made) >= createsPerMinute) {
      return refusal('createsPerMinute', until(MINUTE_MS, tasks.oldest, calls.oldest));
    }
  }
  if (unitsPerDay !== undefined) {
    const from = now - DAY_MS;
    const tasks = await since(from)
      // A task that failed without a charge costs nothing.
      .select(
        sql<
          number | string
        >`coalesce(sum(coalesce(units, case when state = 'failed' then 0 else coalesce(reserved, estimate) end)), 0)`.as(
          'units',
        ),
      )
      .select(({ fn }) => fn.min('created_at').as('oldest'))
      .executeTakeFirstOrThrow();
    const calls = await callsSince(from)
      .select(sql<number | string>`coalesce(sum(units), 0)`.as('units'))
      .select(({ fn }) => fn.min('created_at').as('oldest'))
      .executeTakeFirstOrThrow();
    const units = Number(tasks.units) + Number(calls.units) + (task.reserved ?? task.estimate ?? 0);
    // Sums of tenths and hundredths are a hair beside what they should be.
    if (Math.round(units * 1000) > unitsPerDay * 1000) {
      return refusal('unitsPerDay', until(DAY_MS, tasks.oldest, calls.oldest));
    }
  }
  return undefined;
}

function refusal(limit: 'createsPerMinute' | 'unitsPerDay', waitMs: number) {
  return { outcome: 'over-limit' as const, limit, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
}
