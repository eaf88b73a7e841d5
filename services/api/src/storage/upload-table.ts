import { type Kysely, sql } from 'kysely';
import { type Upload, uploadSchema } from '../uploads/upload.ts';
import type { Database } from './database.ts';
import type { UploadTable } from './store.ts';
import type { Tables, UploadsTable } from './tables.ts';

/** A file that did not come to its end within this time never will. */
const UNFINISHED_MS = 3_600_000;
/**
 * From the end of its use to its removal. A task that was made in the last moment
 * is stored by then, so that the look for tasks that use it cannot miss it.
 */
export const GRACE_MS = 5 * 60_000;

const isInUse = sql<boolean>`EXISTS (
  SELECT 1 FROM upload_uses JOIN tasks ON tasks.id = upload_uses.task_id
  WHERE upload_uses.upload_id = uploads.id AND tasks.state NOT IN ('succeeded', 'failed'))`;

export function createUploadTable(db: Database): UploadTable {
  const ready = () => db.kysely.selectFrom('uploads').selectAll().where('ready', '=', 1);
  return {
    // The caller is told that the file is there, and may remove its own.
    reserveUpload: (upload, bounds) =>
      db.durably(async (trx) => {
        if (db.shared) await sql`SELECT pg_advisory_xact_lock(hashtext(${`upload ${upload.subject}`}))`.execute(trx);
        const kept = await trx
          .selectFrom('uploads')
          .select(({ fn }) => [
            fn.countAll<number | string>().as('files'),
            fn.min('expires_at').as('first'),
            sql<number | string>`coalesce(sum(bytes), 0)`.as('bytes'),
          ])
          .where('subject', '=', upload.subject)
          .executeTakeFirstOrThrow();
        if (Number(kept.bytes) + upload.bytes > bounds.bytes || Number(kept.files) >= bounds.files) {
          return { bytes: Number(kept.bytes), files: Number(kept.files), roomAt: Number(kept.first ?? 0) };
        }
        await trx
          .insertInto('uploads')
          .values({
            ...{ id: upload.id, subject: upload.subject, token: upload.token, type: upload.type, bytes: upload.bytes },
            ...{ sha256: null, width: null, height: null, ready: 0 },
            created_at: upload.createdAt,
            expires_at: upload.expiresAt,
            purge_at: upload.createdAt + UNFINISHED_MS,
          })
          .execute();
        return undefined;
      }),
    async finishUpload({ id, sha256, width = null, height = null }) {
      const row = await db.durably((trx) =>
        trx
          .updateTable('uploads')
          .set(({ ref }) => ({
            ...{ sha256, width, height, ready: 1 },
            purge_at: sql<number>`${ref('expires_at')} + ${sql.lit(GRACE_MS)}`,
          }))
          .where('id', '=', id)
          .where('sha256', 'is', null)
          .returningAll()
          .executeTakeFirst(),
      );
      return row === undefined ? undefined : uploadOf(row);
    },
    async findUpload(reference) {
      const row = await ready()
        .where('id' in reference ? 'id' : 'token', '=', 'id' in reference ? reference.id : reference.token)
        .executeTakeFirst();
      return row === undefined ? undefined : uploadOf(row);
    },
    retireUpload: (id, hiddenUntil) =>
      db.kysely.transaction().execute(async (trx) => {
        // First the lock, then the look: whoever is just about to use it is waited for.
        await trx
          .selectFrom('uploads')
          .select('id')
          .where('id', '=', id)
          .$if(db.shared, (query) => query.forUpdate())
          .execute();
        const { numUpdatedRows } = await trx
          .updateTable('uploads')
          .set({ ready: 0, purge_at: hiddenUntil })
          .where('id', '=', id)
          .where(({ not }) => not(isInUse))
          .executeTakeFirst();
        return numUpdatedRows > 0n;
      }),
    async claimUploadPurges(now, limit, hiddenUntil) {
      const rows = await db.kysely
        .updateTable('uploads')
        .set({ ready: 0, purge_at: hiddenUntil })
        .where(({ eb, selectFrom }) =>
          eb(
            'id',
            'in',
            selectFrom('uploads')
              .select('id')
              .where('purge_at', '<=', now)
              .where(({ not }) => not(isInUse))
              .orderBy('purge_at')
              .limit(limit)
              .$if(db.shared, (query) => query.forUpdate().skipLocked()),
          ),
        )
        .returning('id')
        .execute();
      return rows.map(({ id }) => id);
    },
    async nextUploadPurge() {
      const row = await db.kysely
        .selectFrom('uploads')
        .select(({ fn }) => fn.min('purge_at').as('at'))
        .where(({ not }) => not(isInUse))
        .executeTakeFirst();
      return row?.at ?? undefined;
    },
    removeUpload: (id) =>
      db.kysely.transaction().execute(async (trx) => {
        await trx.deleteFrom('upload_uses').where('upload_id', '=', id).execute();
        await trx.deleteFrom('uploads').where('id', '=', id).execute();
      }),
  };
}

/**
 * Notes that the task uses the uploads, in the transaction that stores it.
 * @returns false when one of them is not there any longer
 */
export async function useUploads(
  trx: Kysely<Tables>,
  db: Database,
  taskId: string,
  uploads: readonly string[],
): Promise<boolean> {
  if (uploads.length === 0) return true;
  const rows = await trx
    .selectFrom('uploads')
    .select('id')
    .where('id', 'in', uploads)
    .where('ready', '=', 1)
    .$if(db.shared, (query) => query.forShare())
    .execute();
  if (rows.length < uploads.length) return false;
  await trx
    .insertInto('upload_uses')
    .values(uploads.map((id) => ({ upload_id: id, task_id: taskId })))
    .execute();
  return true;
}

function uploadOf(row: { [Column in keyof UploadsTable]: UploadsTable[Column] }): Upload {
  return uploadSchema.parse({
    ...{ id: row.id, subject: row.subject, token: row.token, type: row.type, bytes: row.bytes, sha256: row.sha256 },
    ...(row.width === null || row.height === null ? {} : { width: row.width, height: row.height }),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  });
}
