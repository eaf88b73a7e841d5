import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { z } from 'zod';
import type { NewTask, TaskChange, TaskStore } from './store.ts';
import { type State, stateSchema, type Task, taskSchema } from './task.ts';

/** Each entry brings the file one version further; never edited, only added to. */
const MIGRATIONS = [
  `CREATE TABLE tasks (
     id TEXT PRIMARY KEY, subject TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
     created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
     request TEXT NOT NULL, payload TEXT,
     upstream_id TEXT, files TEXT NOT NULL DEFAULT '[]', error TEXT, units REAL, poll_at INTEGER,
     idempotency_key TEXT, fingerprint TEXT
   ) STRICT;
   CREATE UNIQUE INDEX tasks_idempotency ON tasks (subject, idempotency_key) WHERE idempotency_key IS NOT NULL;
   CREATE INDEX tasks_due ON tasks (poll_at) WHERE poll_at IS NOT NULL;
   CREATE INDEX tasks_submitting ON tasks (created_at) WHERE state = 'submitting';
   CREATE INDEX tasks_state ON tasks (state);`,
];

const json = z.string().transform((text): unknown => JSON.parse(text));
const rowSchema = z
  .object({
    id: z.string(),
    subject: z.string(),
    kind: z.string(),
    state: z.string(),
    created_at: z.number(),
    updated_at: z.number(),
    request: json,
    upstream_id: z.string().nullable(),
    files: json,
    error: json.nullable(),
    units: z.number().nullable(),
    poll_at: z.number().nullable(),
    fingerprint: z.string().nullable(),
  })
  .transform((row) => ({
    fingerprint: row.fingerprint,
    task: {
      id: row.id,
      subject: row.subject,
      kind: row.kind,
      state: row.state,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      request: row.request,
      upstreamId: row.upstream_id,
      files: row.files,
      error: row.error,
      units: row.units,
      pollAt: row.poll_at,
    },
  }))
  .pipe(z.object({ fingerprint: z.string().nullable(), task: taskSchema }));

/**
 * Tasks in one SQLite file. WAL, so that reads do not wait for writes, and
 * `synchronous = FULL`, because a task must be on disk before it is paid for.
 */
export function openSqliteStore(path: string): TaskStore {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;');
  migrate(database);

  const byId = database.prepare('SELECT * FROM tasks WHERE id = ?');
  const byKey = database.prepare('SELECT * FROM tasks WHERE subject = ? AND idempotency_key = ?');
  const insert = database.prepare(
    `INSERT INTO tasks (id, subject, kind, state, created_at, updated_at, request, payload, idempotency_key, fingerprint)
     VALUES (?, ?, ?, 'submitting', ?, ?, ?, ?, ?, ?)`,
  );
  const payloadOf = database.prepare('SELECT payload FROM tasks WHERE id = ?');
  const unsubmitted = database.prepare(`SELECT * FROM tasks WHERE state = 'submitting' ORDER BY created_at`);
  const dueAt = database.prepare('SELECT * FROM tasks WHERE poll_at <= ? ORDER BY poll_at LIMIT ?');
  const firstDue = database.prepare('SELECT min(poll_at) AS at FROM tasks WHERE poll_at IS NOT NULL');
  const countStates = database.prepare('SELECT state, count(*) AS tasks FROM tasks GROUP BY state');

  const read = (row: unknown): Task => rowSchema.parse(row).task;
  const find = (id: string): Task | undefined => {
    const row = byId.get(id);
    return row === undefined ? undefined : read(row);
  };

  return {
    add(task: NewTask) {
      const { idempotency } = task;
      // The connection is synchronous and the only one, so nothing comes between look and insert.
      if (idempotency !== undefined) {
        const row = byKey.get(task.subject, idempotency.key);
        if (row !== undefined) {
          const known = rowSchema.parse(row);
          return known.fingerprint === idempotency.fingerprint
            ? { outcome: 'known', task: known.task }
            : { outcome: 'key-of-another-request' };
        }
      }
      insert.run(
        task.id,
        task.subject,
        task.kind,
        task.createdAt,
        task.createdAt,
        JSON.stringify(task.request),
        JSON.stringify(task.payload),
        idempotency?.key ?? null,
        idempotency?.fingerprint ?? null,
      );
      return { outcome: 'added', task: read(byId.get(task.id)) };
    },
    find,
    payload(id) {
      const row = z.object({ payload: z.string() }).safeParse(payloadOf.get(id));
      return row.success ? JSON.parse(row.data.payload) : undefined;
    },
    change(id, change) {
      const { sql, values } = assignments(change);
      database.prepare(`UPDATE tasks SET ${sql} WHERE id = ?`).run(...values, id);
      const task = find(id);
      if (task === undefined) throw new Error(`task ${id} is not in the store`);
      return task;
    },
    submitting: () => unsubmitted.all().map(read),
    due: (now, limit) => dueAt.all(now, limit).map(read),
    nextDue: () => z.object({ at: z.number().nullable() }).parse(firstDue.get()).at ?? undefined,
    counts() {
      const rows = z.array(z.object({ state: stateSchema, tasks: z.number() })).parse(countStates.all());
      const counts: Partial<Record<State, number>> = {};
      for (const row of rows) counts[row.state] = row.tasks;
      return counts;
    },
    ping: () => void byId.get(''),
    close: () => database.close(),
  };
}

function assignments(change: TaskChange): { sql: string; values: SQLInputValue[] } {
  const set = new Map<string, SQLInputValue>([['updated_at', change.updatedAt]]);
  if (change.state !== undefined) set.set('state', change.state);
  if (change.state !== undefined && change.state !== 'submitting') set.set('payload', null);
  if (change.upstreamId !== undefined) set.set('upstream_id', change.upstreamId);
  if (change.files !== undefined) set.set('files', JSON.stringify(change.files));
  if (change.error !== undefined) set.set('error', change.error === null ? null : JSON.stringify(change.error));
  if (change.units !== undefined) set.set('units', change.units);
  if (change.pollAt !== undefined) set.set('poll_at', change.pollAt);
  if (change.releaseKey === true) set.set('idempotency_key', null);
  return { sql: [...set.keys()].map((column) => `${column} = ?`).join(', '), values: [...set.values()] };
}

function migrate(database: DatabaseSync): void {
  const { user_version: version } = z
    .object({ user_version: z.number() })
    .parse(database.prepare('PRAGMA user_version').get());
  if (version > MIGRATIONS.length) {
    throw new Error(`the task file has version ${version}, this program knows only ${MIGRATIONS.length}`);
  }
  for (const [at, sql] of MIGRATIONS.entries()) {
    if (at < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${at + 1}; COMMIT;`);
  }
}
