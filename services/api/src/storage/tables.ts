import { kindSchema } from '@klingapi/kling';
import type { Generated } from 'kysely';
import { z } from 'zod';
import { stateSchema, type Task, taskSchema } from '../tasks/task.ts';
import type { PolledTask } from './store.ts';

/** The columns as both databases give them: times are Unix milliseconds, structures are JSON text. */
export interface Tables {
  tasks: TasksTable;
  replicas: { id: string; alive_until: number };
  pools: { pool: string; slots: number | null; slots_until: number; blocked_until: number };
  calls: CallsTable;
  webhooks: { id: string; received_at: number };
  uploads: UploadsTable;
  upload_uses: { upload_id: string; task_id: string };
}

export interface UploadsTable {
  id: string;
  subject: string;
  token: string;
  type: string;
  bytes: number;
  /** Null until the file is there as a whole. */
  sha256: string | null;
  width: number | null;
  height: number | null;
  created_at: number;
  expires_at: number;
  /** 1 as long as it can be read; 0 while it comes in, and from the beginning of its removal. */
  ready: number;
  /** When to remove it, unless a task that has not ended uses it. */
  purge_at: number;
}

/** Paid calls that make no task. */
export interface CallsTable {
  id: string;
  subject: string;
  operation: string;
  created_at: number;
  /** `open` until the answer is there, and for ever when the process died before. */
  outcome: 'open' | 'succeeded' | 'failed' | 'unknown';
  units: number;
}

export interface TasksTable {
  id: string;
  subject: string;
  kind: string;
  state: string;
  created_at: number;
  updated_at: number;
  request: string;
  /** The whole request, until Kling has the task. */
  payload: string | null;
  upstream_id: string | null;
  files: Generated<string>;
  error: string | null;
  units: number | null;
  /** When to ask Kling next; null when there is nothing to ask. */
  poll_at: number | null;
  idempotency_key: string | null;
  fingerprint: string | null;
  /** What the task counts against in Kling's limit of parallel tasks, and for how much. */
  pool: Generated<string>;
  slots: Generated<number>;
  /** When to (re)try the submission; null once its outcome is known. */
  attempt_at: number | null;
  /** The replica that works on the submission. */
  lease_owner: string | null;
  /** Grows by one with each claim; who holds an older number has lost the task. */
  fence: Generated<number>;
  /** Since when Kling may have the task; null as long as it certainly does not. */
  sent_at: number | null;
  /** When to (re)try to keep the results; null when there is nothing to keep. */
  mirror_at: number | null;
  /** When kept results are deleted; null when none are kept. */
  purge_at: number | null;
  /** What a result has besides files. */
  details: string | null;
  /** Units that the task will probably cost. */
  estimate: number | null;
  /** Units that count against the limit of its subject until the real ones are known; null: the estimate. */
  reserved: number | null;
  /** Where the caller is told of changes. */
  callback_url: string | null;
  /** When to tell (again); null when everything is told. */
  notify_at: number | null;
  notify_attempts: Generated<number>;
}

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
    idempotency_key: z.string().nullish(),
    details: json.nullish(),
    callback_url: z.string().nullish(),
    notify_attempts: z.number().nullish(),
  })
  .transform((row) => ({
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
    externalId: externalIdOf(row.idempotency_key),
    details: row.details ?? undefined,
    callbackUrl: row.callback_url ?? undefined,
    notifyAttempts: row.notify_attempts ?? undefined,
  }));

/** What {@link taskOf} needs, and claims. Not the payload: with pictures in it a page of tasks would fill the memory. */
export const TASK_COLUMNS = [
  'id',
  'subject',
  'kind',
  'state',
  'created_at',
  'updated_at',
  'request',
  'upstream_id',
  'files',
  'error',
  'units',
  'poll_at',
  'idempotency_key',
  'fingerprint',
  'details',
  'callback_url',
  'notify_attempts',
  'pool',
  'slots',
  'fence',
] as const satisfies readonly (keyof TasksTable)[];

/** A row is parsed at this door, because another version of the program may have written it. */
export function taskOf(row: unknown): Task {
  return taskSchema.parse(rowSchema.parse(row));
}

export const POLLED_COLUMNS = [
  'id',
  'kind',
  'state',
  'created_at',
  'updated_at',
  'upstream_id',
] as const satisfies readonly (keyof TasksTable)[];
const polledSchema = z
  .object({
    id: z.string(),
    kind: kindSchema,
    state: stateSchema,
    created_at: z.number(),
    updated_at: z.number(),
    upstream_id: z.string().nullable(),
  })
  .transform(({ created_at: createdAt, updated_at: updatedAt, upstream_id: upstreamId, ...row }) => ({
    ...row,
    createdAt,
    updatedAt,
    upstreamId,
  }));

export function polledOf(row: unknown): PolledTask {
  return polledSchema.parse(row);
}

/** A key of a caller holds no space, so the two never meet. */
const EXTERNAL = 'external ';

/** The external id of a caller is a key too: once taken, it makes no second task. */
export function externalKey(externalId: string): string {
  return EXTERNAL + externalId;
}

function externalIdOf(key: string | null | undefined): string | undefined {
  return key?.startsWith(EXTERNAL) === true ? key.slice(EXTERNAL.length) : undefined;
}
