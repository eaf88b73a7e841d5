import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { Kysely, type SqliteDatabase, SqliteDialect, sql } from 'kysely';
import { createAnnouncer, type Database, logFailures, type OnFailure } from './database.ts';
import { migrate } from './migrations.ts';
import { shareFlush } from './shared-flush.ts';
import type { Tables } from './tables.ts';

/**
 * One SQLite file. WAL, so that reads do not wait for writes. A task must be on
 * disk before it is paid for; SQLite itself would hold up the whole process for
 * that, so its log is flushed beside it. The process is alone on it: see `data-lock.ts`.
 *
 * @param path the file, or `:memory:`
 * @param now milliseconds since the epoch
 */
export async function openSqlite(
  path: string,
  {
    now = Date.now,
    onFailure,
  }: { readonly now?: (() => number) | undefined; readonly onFailure?: OnFailure | undefined } = {},
): Promise<Database> {
  const file = new DatabaseSync(path);
  file.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;');
  const kysely = new Kysely<Tables>({
    dialect: new SqliteDialect({ database: asDriver(file) }),
    ...logFailures(onFailure),
  });
  try {
    // All or nothing: a process killed halfway must not leave a file that fits no version.
    file.exec('BEGIN IMMEDIATE');
    await migrate(kysely, 'sqlite');
    file.exec('COMMIT');
  } catch (error) {
    await kysely.destroy();
    throw error;
  }
  const log = path === ':memory:' ? undefined : await openLog(path, file);
  const flushed = shareFlush(async () => await log?.datasync());
  return {
    ...createAnnouncer(),
    kysely,
    shared: false,
    async durably(work) {
      const told = await kysely.transaction().execute(work);
      await flushed();
      return told;
    },
    get clock() {
      return sql<number>`${now()}`;
    },
    async close() {
      await log?.close();
      await kysely.destroy();
    },
  };
}

/** The write-ahead log, where every commit is until it is moved to the file itself; it stays as long as `file` is open. */
async function openLog(path: string, file: DatabaseSync): Promise<FileHandle> {
  file.exec('SELECT 1 FROM sqlite_master');
  // that it is there has to outlast a power cut too
  const folder = await open(dirname(path));
  await folder.sync();
  await folder.close();
  return await open(`${path}-wal`, 'r+');
}

/** Statements kept ready: the program has a few dozen, and preparing one costs more than running it. */
const MOST_STATEMENTS = 200;

/** Node's own SQLite as Kysely's dialect expects a driver to be. */
function asDriver(file: DatabaseSync): SqliteDatabase {
  const prepared = new Map<string, ReturnType<SqliteDatabase['prepare']>>();
  return {
    close: () => file.close(),
    prepare(text) {
      const known = prepared.get(text);
      if (known !== undefined) return known;
      const statement = file.prepare(text);
      const made = {
        reader: statement.columns().length > 0,
        all: (values: readonly unknown[]) => statement.all(...values.map(inputValue)),
        run: (values: readonly unknown[]) => statement.run(...values.map(inputValue)),
        iterate: (values: readonly unknown[]) => statement.iterate(...values.map(inputValue)),
      };
      if (prepared.size < MOST_STATEMENTS) prepared.set(text, made);
      return made;
    },
  };
}

function inputValue(value: unknown): SQLInputValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
    return value;
  }
  throw new TypeError(`SQLite takes no ${typeof value}`);
}
