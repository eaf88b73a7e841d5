import { sql } from 'kysely';
import type { Database } from './database.ts';
import type { Replicas } from './store.ts';

/** A replica that did not say a word for so long is forgotten. */
const FORGOTTEN_MS = 24 * 3_600_000;
const FOR_EVER = Number.MAX_SAFE_INTEGER;

export function createReplicas(db: Database): Replicas {
  return {
    async heartbeat(replica, milliseconds) {
      // Alone on the database a process holds its claims as long as it lives; nobody else could take them.
      const aliveUntil = db.shared ? sql<number>`${db.clock} + ${sql.lit(milliseconds)}` : FOR_EVER;
      await db.kysely
        .insertInto('replicas')
        .values({ id: replica, alive_until: aliveUntil })
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet(({ ref }) => ({ alive_until: ref('excluded.alive_until') })),
        )
        .execute();
      await db.kysely
        .deleteFrom('replicas')
        .where('id', '!=', replica)
        .where(sql<boolean>`alive_until < ${db.clock} - ${sql.lit(FORGOTTEN_MS)}`)
        .execute();
    },
    async leave(replica) {
      await db.kysely.deleteFrom('replicas').where('id', '=', replica).execute();
    },
  };
}
