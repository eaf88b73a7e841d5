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
  };
}
