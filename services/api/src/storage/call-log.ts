import { sql } from 'kysely';
import type { Database } from './database.ts';
import { overLimit } from './limits.ts';
import type { CallLog } from './store.ts';

export function createCallLog(db: Database): CallLog {
  return {
    addCall: (call) =>
      db.durably(async (trx) => {
        const refused = await overLimit(trx, db, call);
        if (refused !== undefined) return refused;
        const { id, subject, operation, createdAt, estimate } = call;
        await trx
          .insertInto('calls')
          .values({ id, subject, operation, created_at: createdAt, outcome: 'open', units: estimate })
          .execute();
        return { outcome: 'added' as const };
      }),
    async endCall(id, outcome, units) {
      await db.kysely.updateTable('calls').set({ outcome, units }).where('id', '=', id).execute();
    },
    async callUsage(subject, from, to) {
      const having = (outcome: string) =>
        sql<number | string>`coalesce(sum(case when outcome = ${sql.lit(outcome)} then 1 end), 0)`;
      const rows = await db.kysely
        .selectFrom('calls')
        .select(({ fn }) => [
          'operation',
          fn.countAll<number | string>().as('calls'),
          having('succeeded').as('succeeded'),
          having('failed').as('failed'),
          fn.sum<number | string>('units').as('units'),
        ])
        .where('subject', '=', subject)
        .where('created_at', '>=', from)
        .where('created_at', '<', to)
        .groupBy('operation')
        .orderBy('operation')
        .execute();
      return rows.map((row) => ({
        operation: row.operation,
        calls: Number(row.calls),
        succeeded: Number(row.succeeded),
        failed: Number(row.failed),
        units: Math.round(Number(row.units) * 1000) / 1000,
      }));
    },
  };
}
