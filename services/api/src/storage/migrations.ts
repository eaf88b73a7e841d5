import { type Kysely, type RawBuilder, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type { Tables } from './tables.ts';

/**
 * Each entry brings a database one step further; never edited, only added to,
 * because databases out there remember the names of the steps that they have.
 */
function migrations(database: 'sqlite' | 'postgres'): Record<string, Migration> {
  return {
    '001_tasks': { up: tasks },
    // Files of the first program are STRICT, which knows no bigint; SQLite's integer has 64 bits too.
    '002_replicas': { up: (db) => replicas(db, sql.raw(database === 'sqlite' ? 'integer' : 'bigint')) },
    '004_surface': { up: (db) => surface(db, sql.raw(database === 'sqlite' ? 'integer' : 'bigint'), database) },
    '005_uploads': { up: (db) => uploads(db, sql.raw(database === 'sqlite' ? 'integer' : 'bigint')) },
    '006_calls': { up: (db) => calls(db, database) },
    '007_reservations': { up: (db) => reservations(db, database) },
    '003_announcements': { up: database === 'postgres' ? announcements : async () => {} },
  };
}

/** @throws Error when a step fails, or the database has steps that this program does not know */
export async function migrate(kysely: Kysely<Tables>, database: 'sqlite' | 'postgres'): Promise<void> {
  const provider = { getMigrations: () => Promise.resolve(migrations(database)) };
  const { error } = await new Migrator({ db: kysely, provider }).migrateToLatest();
  if (error === undefined) return;
  const reason = error instanceof Error ? error.message : String(error);
  throw new Error(`the database cannot be brought to the version of this program: ${reason}`, { cause: error });
}

/** `ifNotExists`: files of the first program, which had no list of steps, hold these already. */
async function tasks(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('tasks')
    .ifNotExists()
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('request', 'text', (column) => column.notNull())
    .addColumn('payload', 'text')
    .addColumn('upstream_id', 'text')
    .addColumn('files', 'text', (column) => column.notNull().defaultTo('[]'))
    .addColumn('error', 'text')
    .addColumn('units', 'double precision')
    .addColumn('poll_at', 'bigint')
    .addColumn('idempotency_key', 'text')
    .addColumn('fingerprint', 'text')
    .execute();
  for (const index of [
    sql`CREATE UNIQUE INDEX IF NOT EXISTS tasks_idempotency ON tasks (subject, idempotency_key) WHERE idempotency_key IS NOT NULL`,
    sql`CREATE INDEX IF NOT EXISTS tasks_due ON tasks (poll_at) WHERE poll_at IS NOT NULL`,
    sql`CREATE INDEX IF NOT EXISTS tasks_state ON tasks (state)`,
  ]) {
    await index.execute(db);
  }
}

async function replicas(db: Kysely<unknown>, whole: RawBuilder<unknown>): Promise<void> {
  const columns = [
    sql`pool text NOT NULL DEFAULT ''`,
    sql`slots integer NOT NULL DEFAULT 1`,
    sql`attempt_at ${whole}`,
    sql`lease_owner text`,
    sql`fence ${whole} NOT NULL DEFAULT 0`,
    sql`sent_at ${whole}`,
    sql`mirror_at ${whole}`,
    sql`purge_at ${whole}`,
  ];
  for (const column of columns) await sql`ALTER TABLE tasks ADD COLUMN ${column}`.execute(db);
  // Whether an earlier program got as far as to send these is not known.
  await sql`UPDATE tasks SET attempt_at = created_at, sent_at = created_at WHERE state = 'submitting'`.execute(db);
  for (const statement of [
    sql`CREATE TABLE replicas (id text PRIMARY KEY, alive_until ${whole} NOT NULL)`,
    sql`CREATE TABLE pools (pool text PRIMARY KEY, slots integer, slots_until ${whole} NOT NULL, blocked_until ${whole} NOT NULL)`,
    sql`CREATE TABLE webhooks (id text PRIMARY KEY, received_at ${whole} NOT NULL)`,
    sql`CREATE INDEX tasks_attempt ON tasks (attempt_at) WHERE attempt_at IS NOT NULL`,
    sql`CREATE INDEX tasks_running ON tasks (pool) WHERE state IN ('submitting', 'submitted', 'processing')`,
    sql`CREATE INDEX tasks_queued ON tasks (pool, created_at) WHERE state = 'queued'`,
    sql`CREATE INDEX tasks_upstream ON tasks (upstream_id) WHERE upstream_id IS NOT NULL`,
    sql`CREATE INDEX tasks_mirror ON tasks (mirror_at) WHERE mirror_at IS NOT NULL`,
    sql`CREATE INDEX tasks_purge ON tasks (purge_at) WHERE purge_at IS NOT NULL`,
  ]) {
    await statement.execute(db);
  }
}

/** For lists, usage, limits and callbacks. */
async function surface(db: Kysely<unknown>, whole: RawBuilder<unknown>, database: string): Promise<void> {
  const real = sql.raw(database === 'sqlite' ? 'real' : 'double precision');
  const columns = [
    sql`details text`,
    sql`estimate ${real}`,
    sql`callback_url text`,
    sql`notify_at ${whole}`,
    sql`notify_attempts integer NOT NULL DEFAULT 0`,
  ];
  for (const column of columns) await sql`ALTER TABLE tasks ADD COLUMN ${column}`.execute(db);
  await sql`CREATE INDEX tasks_of_subject ON tasks (subject, created_at, id)`.execute(db);
  await sql`CREATE INDEX tasks_notify ON tasks (notify_at) WHERE notify_at IS NOT NULL`.execute(db);
}

/** Files of callers, and which tasks use them. */
async function uploads(db: Kysely<unknown>, whole: RawBuilder<unknown>): Promise<void> {
  for (const statement of [
    sql`CREATE TABLE uploads (
      id text PRIMARY KEY, subject text NOT NULL, token text NOT NULL, type text NOT NULL, bytes ${whole} NOT NULL,
      sha256 text, width integer, height integer, created_at ${whole} NOT NULL, expires_at ${whole} NOT NULL,
      ready integer NOT NULL, purge_at ${whole} NOT NULL)`,
    sql`CREATE UNIQUE INDEX uploads_token ON uploads (token)`,
    sql`CREATE INDEX uploads_of_subject ON uploads (subject)`,
    sql`CREATE INDEX uploads_purge ON uploads (purge_at)`,
    sql`CREATE TABLE upload_uses (upload_id text NOT NULL, task_id text NOT NULL, PRIMARY KEY (upload_id, task_id))`,
  ]) {
    await statement.execute(db);
  }
}

/** Paid calls that make no task. */
async function calls(db: Kysely<unknown>, database: 'sqlite' | 'postgres'): Promise<void> {
  const whole = sql.raw(database === 'sqlite' ? 'integer' : 'bigint');
  const real = sql.raw(database === 'sqlite' ? 'real' : 'double precision');
  await sql`CREATE TABLE calls (id text PRIMARY KEY, subject text NOT NULL, operation text NOT NULL,
    created_at ${whole} NOT NULL, outcome text NOT NULL, units ${real} NOT NULL)`.execute(db);
  await sql`CREATE INDEX calls_of_subject ON calls (subject, created_at)`.execute(db);
}

/** What tasks count for in limits, which is more than what they will probably cost. */
async function reservations(db: Kysely<unknown>, database: 'sqlite' | 'postgres'): Promise<void> {
  const real = sql.raw(database === 'sqlite' ? 'real' : 'double precision');
  await sql`ALTER TABLE tasks ADD COLUMN reserved ${real}`.execute(db);
}

/** The channel that replicas learn of each other's changes by; the payload is the id of a task. */
export const CHANNEL = 'klingapi_tasks';

/** By a trigger, so that it goes out with the commit of whatever changed the row. */
async function announcements(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE FUNCTION klingapi_announce() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_notify(${sql.lit(CHANNEL)}, NEW.id);
      RETURN NULL;
    END $$`.execute(db);
  await sql`
    CREATE TRIGGER tasks_announce AFTER UPDATE ON tasks FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION klingapi_announce()`.execute(db);
}
