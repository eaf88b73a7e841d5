import { callbackBody, verifyWebhook } from '@klingapi/kling';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { SMALL_BODY_BYTES } from '../load/load.ts';
import { ownProblem } from '../problem.ts';
import type { Progress } from '../tasks/progress.ts';

export const CALLBACK_PATH = '/callbacks/kling';

/** Anybody may send here, so that it must cost little: a record of one task has a few kB. */
const config = { load: 'callback', arrivesWithinMs: 5000 } as const;

export interface CallbackOptions {
  /** From the webhook secret of the Kling account. */
  readonly key: Uint8Array;
  readonly progress: Progress;
}

/**
 * Messages are taken by their signature alone, once each. About a task that is
 * not ours nothing is said: other services may use the same account.
 */
export async function addCallbackRoute(
  app: FastifyInstance,
  { store, now, metrics }: Context,
  { key, progress }: CallbackOptions,
): Promise<void> {
  // The signature is over the bytes as they came.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post(CALLBACK_PATH, { schema: { hide: true }, config, bodyLimit: SMALL_BODY_BYTES }, async (request, reply) => {
    const bytes = z.instanceof(Buffer).safeParse(request.body).data ?? Buffer.alloc(0);
    const refusal = verifyWebhook(key, request.headers, bytes, now());
    if (refusal !== undefined) {
      metrics.onCallbackReceived('refused');
      request.log.warn({ reason: refusal }, 'callback refused');
      throw ownProblem('callback_refused', refusal);
    }
    const upstream = callbackBody.safeParse(jsonOrUndefined(bytes)).data;
    if (upstream === undefined) {
      metrics.onCallbackReceived('unreadable');
      throw ownProblem('invalid_request', 'this is no task of Kling');
    }
    const messageId = z.string().parse(request.headers['webhook-id']);
    if (!(await store.acceptWebhook(messageId, now()))) {
      metrics.onCallbackReceived('repeated');
      throw ownProblem('callback_repeated', 'this message came before');
    }
    metrics.onCallbackReceived('accepted');
    progress.told();
    const task =
      (upstream.externalId === undefined ? undefined : await store.find(upstream.externalId)) ??
      (await store.findByUpstreamId(upstream.id));
    if (task !== undefined) {
      // One that has ended stays as it is.
      const changed = await store.progress(task.id, progress.of(task, upstream));
      request.log.info({ task: task.id, kind: task.kind, state: changed.state }, 'task told by a callback');
    }
    return await reply.code(200).send({ status: 'ok' });
  });
}

function jsonOrUndefined(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
