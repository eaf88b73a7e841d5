import { sql, type Updateable } from 'kysely';
import type { z } from 'zod';
import { hasEnded, type State, stateSchema, type Task } from '../tasks/task.ts';
import type { Database } from './database.ts';
import { overLimit } from './limits.ts';
import { hasRoom } from './pools.ts';
import type { Added, NewTask, TaskChange, TaskTable } from './store.ts';
import { TASK_COLUMNS, type TasksTable, taskOf } from './tables.ts';
import { useUploads } from './upload-table.ts';

export interface TaskTableOptions {
  /** Parallel tasks of one pool; undefined: only Kling's own limit. */
  readonly concurrency?: number | undefined;
  /** Told once for each task, by the process whose write ended it. */
  readonly onEnded?: ((task: Task) => void) | undefined;
}

/** A key can be let go between two looks at it; more often than this it is not by chance. */
const LOOKS = 5;

export function createTaskTable(db: Database, { concurrency, onEnded }: TaskTableOptions): TaskTable {
  const find: TaskTable['find'] = async (id) => {
    const row = await db.kysely.selectFrom('tasks').select(TASK_COLUMNS).where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : taskOf(row);
  };

  const findByKey: TaskTable['findByKey'] = async (subject, { key, fingerprint }) => {
    const row = await db.kysely
      .selectFrom('tasks')
      .select(TASK_COLUMNS)
      .where('subject', '=', subject)
      .where('idempotency_key', '=', key)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    return row.fingerprint === fingerprint
      ? { outcome: 'known', task: taskOf(row) }
      : { outcome: 'key-of-another-request' };
  };

  /** A repeated request is the same task and uses nothing up. */
  const keyIsTaken = async (trx: Database['kysely'], { subject, idempotency }: NewTask): Promise<boolean> => {
    if (idempotency === undefined) return false;
    const row = await trx
      .selectFrom('tasks')
      .select('id')
      .where('subject', '=', subject)
      .where('idempotency_key', '=', idempotency.key)
      .executeTakeFirst();
    return row !== undefined;
  };

  /** @returns undefined when the idempotency key is taken */
  const insert = (task: NewTask, replica: string): Promise<Added | undefined> =>
    db.durably(async (trx) => {
      const refused = await overLimit(trx, db, task);
      if (refused !== undefined && !(await keyIsTaken(trx, task))) return refused;
      const claimed = await hasRoom(trx, db, { pool: task.pool, now: task.createdAt, concurrency, slots: task.slots });
      const payload = JSON.stringify(task.payload);
      const row = await trx
        .insertInto('tasks')
        .values({
          id: task.id,
          subject: task.subject,
          kind: task.kind,
          state: claimed ? 'submitting' : 'queued',
          created_at: task.createdAt,
          updated_at: task.createdAt,
          request: JSON.stringify(task.request),
          payload,
          idempotency_key: task.idempotency?.key ?? null,
          fingerprint: task.idempotency?.fingerprint ?? null,
          estimate: task.estimate ?? null,
          reserved: task.reserved ?? null,
          callback_url: task.callbackUrl ?? null,
          pool: task.pool,
          slots: task.slots,
          attempt_at: task.createdAt,
          lease_owner: claimed ? replica : null,
          fence: claimed ? 1 : 0,
          sent_at: claimed ? task.createdAt : null,
        })
        .onConflict((conflict) =>
          conflict.columns(['subject', 'idempotency_key']).where('idempotency_key', 'is not', null).doNothing(),
        )
        .returning(TASK_COLUMNS)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      if (!(await useUploads(trx, db, task.id, task.uploads ?? []))) throw new UploadGoneError();
      const stored = taskOf(row);
      const claim = claimed
        ? { task: stored, pool: task.pool, fence: 1, sent: false, bytes: payload.length, payload: task.payload }
        : undefined;
      return { outcome: 'added', task: stored, claim };
    });

  return {
    find,
    findByKey,
    async findByUpstreamId(upstreamId) {
      const row = await db.kysely
        .selectFrom('tasks')
        .select(TASK_COLUMNS)
        .where('upstream_id', '=', upstreamId)
        .executeTakeFirst();
      return row === undefined ? undefined : taskOf(row);
    },
    async add(task, replica) {
      const { idempotency } = task;
      for (let look = 0; look < LOOKS; look += 1) {
        const added = await insert(task, replica).catch((error: unknown): Added => {
          if (error instanceof UploadGoneError) return { outcome: 'upload-gone' };
          throw error;
        });
        if (added !== undefined) return added;
        const known = idempotency && (await findByKey(task.subject, idempotency));
        if (known !== undefined) return known;
      }
      throw new Error(`the idempotency key of task ${task.id} comes and goes`);
    },
    async payload(id) {
      const row = await db.kysely.selectFrom('tasks').select('payload').where('id', '=', id).executeTakeFirst();
      return typeof row?.payload === 'string' ? JSON.parse(row.payload) : undefined;
    },
    async progress(id, change) {
      const row = await db.kysely
        .updateTable('tasks')
        .set(columnsOf(change))
        .where('id', '=', id)
        .where('state', 'not in', takenBackBy(change.state))
        .returning(TASK_COLUMNS)
        .executeTakeFirst();
      if (row !== undefined) {
        const task = taskOf(row);
        db.announce(id, task);
        if (hasEnded(task)) onEnded?.(task);
        return task;
      }
      const task = await find(id);
      if (task === undefined) throw new Error(`task ${id} is not in the store`);
      return task;
    },
    async counts() {
      const rows = await db.kysely
        .selectFrom('tasks')
        .select(({ fn }) => ['state', fn.countAll<number>().as('tasks')])
        .groupBy('state')
        .execute();
      const counts: Partial<Record<State, number>> = {};
      for (const { state, tasks } of rows) counts[stateSchema.parse(state)] = tasks;
      return counts;
    },
  };
}

/** Undoes the transaction of a task whose upload was removed meanwhile. */
class UploadGoneError extends Error {
  override readonly name = 'UploadGoneError';
}

/** States that a task must not be taken back from. */
function takenBackBy(state: State | undefined): State[] {
  return state === 'submitted' ? ['succeeded', 'failed', 'processing'] : ['succeeded', 'failed'];
}

/** A change as columns; what it leaves out stays. Once the state is known the claim and the payload go. */
export function columnsOf(change: TaskChange) {
  const isKnown = change.state !== undefined && !unsettled.has(change.state);
  const columns: Updateable<TasksTable> = {
    updated_at: change.updatedAt,
    ...(change.state === undefined ? {} : { state: change.state }),
    ...(isKnown ? { payload: null, lease_owner: null, attempt_at: null } : {}),
    ...(change.upstreamId === undefined ? {} : { upstream_id: change.upstreamId }),
    ...(change.files === undefined ? {} : { files: JSON.stringify(change.files) }),
    ...(change.details === undefined ? {} : { details: JSON.stringify(change.details) }),
    ...(change.error === undefined ? {} : { error: change.error === null ? null : JSON.stringify(change.error) }),
    ...(change.units === undefined ? {} : { units: change.units }),
    ...(change.pollAt === undefined ? {} : { poll_at: change.pollAt }),
    ...(change.releaseKey === true ? { idempotency_key: null } : {}),
    ...(change.mirrorAt === undefined ? {} : { mirror_at: change.mirrorAt }),
    ...(change.purgeAt === undefined ? {} : { purge_at: change.purgeAt }),
  };
  return change.state === undefined ? columns : { ...columns, ...notice(change.state, change.updatedAt) };
}

/** Whoever asked for it is told when callers see another status than before; `state` here is the one before. */
function notice(state: State, at: number) {
  if (unsettled.has(state)) return {};
  const differs = sql`callback_url is not null and state <> ${state}`;
  return {
    notify_at: sql<number | null>`case when ${differs} then cast(${at} as bigint) else notify_at end`,
    notify_attempts: sql<number>`case when ${differs} then 0 else notify_attempts end`,
  };
}

const unsettled = new Set<z.infer<typeof stateSchema>>(['queued', 'submitting']);
