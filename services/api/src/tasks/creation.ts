import { createHash, randomUUID } from 'node:crypto';
import {
  ENDPOINTS,
  estimate,
  impossible,
  type Kind,
  KlingError,
  type KlingRequest,
  reservation,
} from '@klingapi/kling';
import type { FastifyRequest } from 'fastify';
import { limitsOf, subjectOf } from '../access.ts';
import type { Context } from '../context.ts';
import { EgressError } from '../egress/egress.ts';
import { ownProblem, type ProblemError } from '../problem.ts';
import type { Added, NewTask, OverLimit } from '../storage/store.ts';
import { externalKey } from '../storage/tables.ts';
import { checkUploads } from '../uploads/references.ts';
import { upstreamProblem } from '../upstream-problem.ts';
import { acceptMedia } from './media.ts';
import { storedRequest } from './stored-request.ts';
import type { Task } from './task.ts';

/** How long a create waits to learn whether Kling took the task; it goes on in the background after that. */
const ANSWER_WITHIN_MS = 25_000;

export interface Wanted {
  readonly kind: Kind;
  readonly request: KlingRequest;
  /** The same key with the same request is the same task. */
  readonly idempotencyKey?: string | undefined;
  /** The caller's own id, which makes one task at most. */
  readonly externalId?: string | undefined;
  readonly callbackUrl?: string | undefined;
}

/**
 * Everything between a parsed request and its task: pictures, what the model can
 * do, limits, the row, and Kling's first answer. All doors go through it.
 *
 * @throws ProblemError
 */
export async function createTask(context: Context, request: FastifyRequest, wanted: Wanted): Promise<Task> {
  if (context.draining()) throw ownProblem('draining', 'send the request again', { retryAfterSeconds: 1 });
  const { kind, callbackUrl, externalId } = wanted;
  const payload = acceptMedia(wanted.request, kind);
  const errors = impossible(kind, payload);
  if (errors.length > 0) {
    const detail = errors.map(({ field, problem }) => `${field}: ${problem}`).join('; ');
    throw ownProblem('invalid_request', detail, { errors });
  }
  if (callbackUrl !== undefined) checkCallback(context, callbackUrl);
  const key = externalId === undefined ? wanted.idempotencyKey : externalKey(externalId);
  const idempotency = key === undefined ? undefined : { key, fingerprint: fingerprint(kind, payload) };
  // A repeat is its task, whatever has become of its uploads since: it must never be paid twice.
  const known = idempotency && (await context.store.findByKey(subjectOf(request), idempotency));
  const added = known ?? (await addTask(context, request, { ...wanted, request: payload }, idempotency));
  if (externalId !== undefined && added.outcome !== 'added') {
    throw ownProblem('external_id_taken', 'a task with this external_task_id already exists');
  }
  if (added.outcome === 'key-of-another-request') {
    throw ownProblem('idempotency_key_reused', 'use a new key for a new request');
  }
  const settled = await submitted(context, added);
  return settled ?? (await context.store.find(added.task.id)) ?? added.task;
}

function checkCallback({ egress }: Context, url: string): void {
  try {
    egress.check(url);
  } catch (error) {
    if (!(error instanceof EgressError)) throw error;
    const errors = [{ field: 'callback_url', problem: error.message, hint: 'an http(s) address that is public' }];
    throw ownProblem('invalid_request', `callback_url: ${error.message}`, { errors });
  }
}

type Stored = Extract<Added, { readonly task: Task }>;
type KeyOfAnother = Extract<Added, { readonly outcome: 'key-of-another-request' }>;

async function addTask(
  context: Context,
  caller: FastifyRequest,
  { kind, request: payload, callbackUrl }: Wanted,
  idempotency: NewTask['idempotency'],
): Promise<Stored | KeyOfAnother> {
  const uploads = await checkUploads(context, subjectOf(caller), kind, payload);
  const expected = estimate(kind, payload);
  const reserved = reservation(kind, payload);
  const added = await context.store.add(
    {
      id: randomUUID(),
      subject: subjectOf(caller),
      kind,
      createdAt: context.now(),
      request: storedRequest(payload),
      payload,
      // Kling counts by model and kind of result, and each picture of a task for one.
      pool: `${ENDPOINTS[kind].result}:${'model_name' in payload ? payload.model_name : kind}`,
      slots: 'n' in payload ? payload.n : 1,
      estimate: expected?.units,
      reserved,
      callbackUrl,
      limits: limitsOf(caller),
      uploads,
      idempotency,
    },
    context.replica,
  );
  if (added.outcome === 'over-limit') throw limitProblem(added, reserved);
  if (added.outcome === 'upload-gone') throw ownProblem('upload_not_found', 'an upload was removed meanwhile');
  if (added.outcome === 'added' && expected !== undefined) context.metrics.onEstimated(expected.pack, expected.units);
  return added;
}

/** @param reserved units that the request counts for until its cost is known */
export function limitProblem({ limit, retryAfterSeconds }: OverLimit, reserved: number): ProblemError {
  return limit === 'createsPerMinute'
    ? ownProblem('rate_limited', 'as many tasks were made within a minute as may be', { retryAfterSeconds })
    : ownProblem(
        'spend_limited',
        `the units of the last 24 hours and of this request are too many; it counts for ${reserved}, the most that it may cost, until its cost is known`,
        { retryAfterSeconds },
      );
}

/**
 * Waits until Kling has taken or refused the task or it is back in the queue, but not for ever.
 * @returns the task where this process saw Kling take it
 */
async function submitted(context: Context, added: Stored): Promise<Task | undefined> {
  const { id, state } = added.task;
  const { submissions, dispatcher } = context;
  if (added.outcome === 'added' && added.claim === undefined) dispatcher.wake();
  if (state !== 'submitting') return undefined;
  const submission =
    added.outcome === 'added' && added.claim !== undefined
      ? submissions.submit(added.claim)
      : (submissions.running(id) ?? settledElsewhere(context, id));
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ANSWER_WITHIN_MS, undefined);
  });
  try {
    return await Promise.race([submission, patience]);
  } catch (error) {
    if (error instanceof KlingError) throw upstreamProblem(error, id);
    throw error;
  } finally {
    clearTimeout(timer);
    // A refusal after the reply is stored with the task.
    submission.catch(() => {});
  }
}

/** The same request came to two replicas: this one waits for the other's outcome. */
async function settledElsewhere({ store, changes }: Context, id: string): Promise<undefined> {
  const watch = changes.watch(id);
  const end = AbortSignal.timeout(ANSWER_WITHIN_MS);
  try {
    while (!end.aborted && !changes.released.aborted && (await store.find(id))?.state === 'submitting') {
      await watch.next(ANSWER_WITHIN_MS, end);
    }
  } finally {
    watch.close();
  }
}

/** Equal for requests that mean the same, whatever the order of their fields. */
function fingerprint(kind: Kind, payload: KlingRequest): string {
  const sorted = Object.entries(payload).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([kind, sorted]))
    .digest('hex');
}
