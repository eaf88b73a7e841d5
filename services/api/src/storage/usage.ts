import { kindSchema } from '@klingapi/kling';
import { type ExpressionBuilder, type RawBuilder, sql } from 'kysely';
import { taskErrorSchema } from '../tasks/task.ts';
import type { Database } from './database.ts';
import type { CallUsageRow, Usage, UsageRow } from './store.ts';
import type { Tables } from './tables.ts';

/** PostgreSQL gives sums as text. */
type Count = number | string;

export function createUsage(db: Database): Usage {
  const tasks = (from: number, to: number) =>
    db.kysely
      .selectFrom('tasks')
      .select(taskSums)
      .where('created_at', '>=', from)
      .where('created_at', '<', to)
      .groupBy(['kind', 'pool']);
  const calls = (from: number, to: number) =>
    db.kysely
      .selectFrom('calls')
      .select(callSums)
      .where('created_at', '>=', from)
      .where('created_at', '<', to)
      .groupBy('operation');
  /** PostgreSQL reads no JSON that has certain characters, which are Kling's to choose. An error begins with its code. */
  const code = db.shared ? sql<string>`split_part(error, '"', 4)` : sql<string>`error ->> 'code'`;

  return {
    async usage(subject, from, to) {
      const rows = await tasks(from, to).where('subject', '=', subject).orderBy('kind').orderBy('pool').execute();
      return rows.map(usageRow);
    },
    async callUsage(subject, from, to) {
      const rows = await calls(from, to).where('subject', '=', subject).orderBy('operation').execute();
      return rows.map(callUsageRow);
    },
    async usageOfAll(from, to, limit) {
      const made = await tasks(from, to)
        .select('subject')
        .where('subject', 'in', everySubject('tasks'))
        .groupBy('subject')
        .orderBy('units', 'desc')
        .orderBy('expected', 'desc')
        .orderBy('subject')
        .orderBy('kind')
        .orderBy('pool')
        .limit(limit)
        .execute();
      const called = await calls(from, to)
        .select('subject')
        .where('subject', 'in', everySubject('calls'))
        .groupBy('subject')
        .orderBy('units', 'desc')
        .orderBy('subject')
        .orderBy('operation')
        .limit(limit)
        .execute();
      const failed = await db.kysely
        .selectFrom('tasks')
        .select(({ fn }) => ['subject', fn.countAll<Count>().as('tasks'), fn.max('error').as('error')])
        .where('subject', 'in', everySubject('tasks'))
        .where('created_at', '>=', from)
        .where('created_at', '<', to)
        .where('state', '=', 'failed')
        .where('error', 'is not', null)
        .groupBy(['subject', code])
        .orderBy('tasks', 'desc')
        .orderBy('subject')
        .orderBy(code)
        .limit(limit)
        .execute();
      return {
        tasks: made.map((row) => ({ subject: row.subject, ...usageRow(row) })),
        calls: called.map((row) => ({ subject: row.subject, ...callUsageRow(row) })),
        failures: failed.map(({ subject, tasks, error }) => ({
          ...{ subject, tasks: Number(tasks) },
          ...taskErrorSchema.parse(JSON.parse(error ?? '{}')),
        })),
      };
    },
  };
}

/**
 * By one look into the index for each: it begins with the subject, so that rows of a time are found by it only where
 * subjects are named. An index on the time alone would be one more to write for each task, and a step of the tables.
 */
function everySubject(name: 'tasks' | 'calls'): RawBuilder<string> {
  const table = sql.table(name);
  return sql<string>`(
    WITH RECURSIVE subjects (subject) AS (
      SELECT min(subject) FROM ${table}
      UNION ALL
      SELECT (SELECT min(subject) FROM ${table} WHERE subject > subjects.subject)
      FROM subjects WHERE subjects.subject IS NOT NULL
    )
    SELECT subject FROM subjects WHERE subject IS NOT NULL
  )`;
}

const sum = (expression: string) => sql<Count>`coalesce(sum(case when ${sql.raw(expression)} end), 0)`;

const taskSums = ({ fn }: ExpressionBuilder<Tables, 'tasks'>) =>
  [
    'kind',
    'pool',
    fn.countAll<Count>().as('tasks'),
    sum("state = 'succeeded' then 1").as('succeeded'),
    sum("state = 'failed' then 1").as('failed'),
    sum('units is not null then units').as('units'),
    sum("units is null and state not in ('succeeded', 'failed') then estimate").as('expected'),
  ] as const;

const callSums = ({ fn }: ExpressionBuilder<Tables, 'calls'>) =>
  [
    'operation',
    fn.countAll<Count>().as('calls'),
    sum("outcome = 'succeeded' then 1").as('succeeded'),
    sum("outcome = 'failed' then 1").as('failed'),
    fn.sum<Count>('units').as('units'),
  ] as const;

type Sums<Names extends string> = Readonly<Record<Names, Count>>;

function usageRow(
  row: Sums<'tasks' | 'succeeded' | 'failed' | 'units' | 'expected'> & { readonly kind: string; readonly pool: string },
): UsageRow {
  return {
    kind: kindSchema.parse(row.kind),
    model: row.pool.slice(row.pool.indexOf(':') + 1),
    tasks: Number(row.tasks),
    succeeded: Number(row.succeeded),
    failed: Number(row.failed),
    units: Number(row.units),
    expectedUnits: Number(row.expected),
  };
}

function callUsageRow(
  row: Sums<'calls' | 'succeeded' | 'failed' | 'units'> & { readonly operation: string },
): CallUsageRow {
  return {
    operation: row.operation,
    calls: Number(row.calls),
    succeeded: Number(row.succeeded),
    failed: Number(row.failed),
    units: Math.round(Number(row.units) * 1000) / 1000,
  };
}
