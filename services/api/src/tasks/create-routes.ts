import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENDPOINTS, type Kind, KlingError, type KlingRequest, REQUESTS } from '@klingapi/kling';
import { z } from 'zod';
import { bearer, requireScope, subjectOf } from '../access.ts';
import type { App, Context } from '../context.ts';
import { ownProblem, problemSchema } from '../problem.ts';
import type { Added } from '../storage/store.ts';
import { upstreamProblem } from '../upstream-problem.ts';
import { acceptPictures, describePictures } from './pictures.ts';
import { describeTask, taskReplySchema } from './task.ts';

/** The original's paths. */
const ROUTES: readonly { readonly kind: Kind; readonly path: string; readonly summary: string }[] = [
  { kind: 'text-to-image', path: '/api/images/generations', summary: 'Make pictures from a text' },
  { kind: 'text-to-video', path: '/api/videos/text-to-video', summary: 'Make a video from a text' },
  { kind: 'image-to-video', path: '/api/videos/image-to-video', summary: 'Make a video from a picture' },
  { kind: 'virtual-try-on', path: '/api/try-on/virtual', summary: 'Dress a person in a garment' },
];

/** How long a create waits to learn whether Kling took the task; it goes on in the background after that. */
const ANSWER_WITHIN_MS = 25_000;

const headers = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, '1 to 255 visible ASCII characters')
    .optional()
    .describe('The same key with the same body gives the same task, and is paid once'),
});

export function addCreateRoutes(app: App, context: Context): void {
  for (const { kind, path, summary } of ROUTES) {
    app.route({
      method: 'POST',
      url: path,
      onRequest: requireScope(context.authenticate, 'create'),
      schema: {
        summary,
        tags: ['create'],
        security: bearer,
        headers,
        body: REQUESTS[kind],
        response: {
          202: taskReplySchema.describe('The task; ask for it by its id'),
          '4xx': { description: 'Refused', content: { 'application/problem+json': { schema: problemSchema } } },
          '5xx': { description: 'Failed', content: { 'application/problem+json': { schema: problemSchema } } },
        },
      },
      handler: async (request, reply) => {
        if (context.draining()) throw ownProblem('draining', 'send the request again', { retryAfterSeconds: 1 });
        const payload: KlingRequest = acceptPictures(request.body);
        const added = await addTask(context, kind, payload, subjectOf(request), request.headers['idempotency-key']);
        await submitted(context, added);
        const task = (await context.store.find(added.task.id)) ?? added.task;
        return await reply
          .code(202)
          .header('location', `/api/tasks/${task.id}`)
          .send(describeTask(task, context.publicUrl));
      },
    });
  }
}

type Stored = Exclude<Added, { outcome: 'key-of-another-request' }>;

async function addTask(
  context: Context,
  kind: Kind,
  payload: KlingRequest,
  subject: string,
  key: string | undefined,
): Promise<Stored> {
  const added = await context.store.add(
    {
      id: randomUUID(),
      subject,
      kind,
      createdAt: context.now(),
      request: describePictures({ ...payload }),
      payload,
      // Kling counts by model and kind of result, and each picture of a task for one.
      pool: `${ENDPOINTS[kind].result}:${'model_name' in payload ? payload.model_name : kind}`,
      slots: 'n' in payload ? payload.n : 1,
      idempotency: key === undefined ? undefined : { key, fingerprint: fingerprint(kind, payload) },
    },
    context.replica,
  );
  if (added.outcome === 'key-of-another-request') {
    throw ownProblem('idempotency_key_reused', 'use a new key for a new request');
  }
  return added;
}

/** Waits until Kling has taken or refused the task or it is back in the queue, but not for ever. */
async function submitted(context: Context, added: Stored): Promise<void> {
  const { id, state } = added.task;
  const { submissions, dispatcher } = context;
  if (added.outcome === 'added' && added.claim === undefined) dispatcher.wake();
  if (state !== 'submitting') return;
  const submission =
    added.outcome === 'added' && added.claim !== undefined
      ? submissions.submit(added.claim)
      : (submissions.running(id) ?? settledElsewhere(context, id));
  const answered = new AbortController();
  const patience = sleep(ANSWER_WITHIN_MS, undefined, { signal: answered.signal }).catch(() => {});
  try {
    await Promise.race([submission, patience]);
  } catch (error) {
    if (error instanceof KlingError) throw upstreamProblem(error, id);
    throw error;
  } finally {
    answered.abort();
    // A refusal after the reply is stored with the task.
    submission.catch(() => {});
  }
}

/** The same request came to two replicas: this one waits for the other's outcome. */
async function settledElsewhere({ store, changes }: Context, id: string): Promise<void> {
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
