import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { createCallLog } from './call-log.ts';
import { lockDataDir } from './data-lock.ts';
import type { Database } from './database.ts';
import { createListing } from './listing.ts';
import { createOverview } from './overview.ts';
import { openPostgres, type PostgresOptions } from './postgres.ts';
import { createReplicas } from './replicas.ts';
import { openSqlite } from './sqlite.ts';
import type { Store } from './store.ts';
import { createSubmissionQueue } from './submission-queue.ts';
import { createTaskTable, type TaskTableOptions } from './task-table.ts';
import { createTimedQueues } from './timed-queues.ts';
import { createUploadTable } from './upload-table.ts';
import { createUsage } from './usage.ts';

/** A folder of this process alone, or a PostgreSQL database that replicas share. */
export type StorageOptions = { readonly dataDir: string } | Pick<PostgresOptions, 'url'>;

/**
 * @throws DataLockedError when another process works on the folder
 * @throws Error when the database cannot be reached or is of another version
 */
export async function openStore(
  storage: StorageOptions,
  options: TaskTableOptions & Pick<PostgresOptions, 'onError' | 'onFailure'> & { readonly now?: () => number },
): Promise<Store> {
  if ('url' in storage)
    return storeOn(await openPostgres({ ...storage, onError: options.onError, onFailure: options.onFailure }), options);
  mkdirSync(storage.dataDir, { recursive: true });
  const unlock = lockDataDir(storage.dataDir);
  try {
    const db = await openSqlite(join(storage.dataDir, 'tasks.db'), { now: options.now, onFailure: options.onFailure });
    // Alone on the folder: whoever held a claim is dead.
    await db.kysely.deleteFrom('replicas').execute();
    const store = storeOn(db, options);
    return { ...store, close: () => store.close().finally(unlock) };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** How long a message may come again: far more than the tolerance of its timestamp. */
const WEBHOOKS_KEPT_MS = 24 * 3_600_000;

export function storeOn(db: Database, options: TaskTableOptions): Store {
  return {
    ...createTaskTable(db, options),
    ...createListing(db),
    ...createSubmissionQueue(db, options),
    ...createTimedQueues(db),
    ...createUploadTable(db),
    ...createReplicas(db),
    ...createCallLog(db),
    ...createUsage(db),
    ...createOverview(db, options),
    shared: db.shared,
    onChange: db.onChange,
    async acceptWebhook(id, now) {
      const row = await db.kysely
        .insertInto('webhooks')
        .values({ id, received_at: now })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning('id')
        .executeTakeFirst();
      await db.kysely
        .deleteFrom('webhooks')
        .where('received_at', '<', now - WEBHOOKS_KEPT_MS)
        .execute();
      return row !== undefined;
    },
    async ping() {
      await sql`SELECT 1 FROM replicas LIMIT 1`.execute(db.kysely);
    },
    close: () => db.close(),
  };
}
