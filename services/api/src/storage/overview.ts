import { stateSchema } from '../tasks/task.ts';
import type { Database } from './database.ts';
import type { Overview } from './store.ts';
import type { TaskTableOptions } from './task-table.ts';

const UNFINISHED = ['queued', 'submitting', 'submitted', 'processing'] as const;

/** For metrics: looks at tasks that have not ended, which are few. */
export function createOverview(db: Database, { concurrency }: TaskTableOptions): Overview {
  return {
    async oldest() {
      const rows = await db.kysely
        .selectFrom('tasks')
        .select(({ fn }) => ['state', fn.min('created_at').as('at')])
        .where('state', 'in', UNFINISHED)
        .groupBy('state')
        .execute();
      return Object.fromEntries(rows.map(({ state, at }) => [stateSchema.parse(state), at]));
    },
    async slots(now) {
      const used = await db.kysely
        .selectFrom('tasks')
        .select(({ fn }) => ['pool', fn.sum<number | string>('slots').as('used')])
        .where('state', 'in', ['submitting', 'submitted', 'processing'])
        .groupBy('pool')
        .execute();
      const learnt = await db.kysely
        .selectFrom('pools')
        .select(['pool', 'slots'])
        .where('slots_until', '>', now)
        .where('slots', 'is not', null)
        .execute();
      const pools = new Set([...used, ...learnt].map(({ pool }) => pool));
      return [...pools].map((pool) => {
        const limits = [concurrency, learnt.find((each) => each.pool === pool)?.slots].filter(
          (limit) => limit !== undefined && limit !== null,
        );
        return {
          pool,
          used: Number(used.find((each) => each.pool === pool)?.used ?? 0),
          limit: limits.length === 0 ? null : Math.min(...limits),
        };
      });
    },
  };
}
