import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { bearer, ownTask, requireScope } from '../access.ts';
import type { App, Context } from '../context.ts';
import { ownProblem } from '../problem.ts';
import { media, refusals } from '../replies.ts';
import type { Kept, TaskFile } from '../tasks/task.ts';
import { taskId } from '../tasks/task-id.ts';
import { upstreamResultProblem } from '../upstream-problem.ts';
import { bounded, DownloadError, openResult, TIMEOUT_MS, typeOf } from './download.ts';
import { matches, rangeOf } from './range.ts';
import { type ResultKey, ResultStoreError } from './result-store.ts';

/**
 * The bytes of a result, so that clients need no way to Kling's storage: from
 * the copy that is kept here, or as long as there is none from where Kling
 * keeps them, without our key.
 */
export function addResultRoute(app: App, context: Context): void {
  for (const method of ['GET', 'HEAD'] as const) addMethod(app, context, method);
}

const bytes = ['image/png', 'image/jpeg', 'image/*', 'video/mp4', 'video/*', 'audio/*', 'application/octet-stream'];
const replies = {
  200: {
    ...media('The whole result', ...bytes),
    headers: {
      etag: { type: 'string', description: 'Of the copy that is kept here; absent while Kling’s is sent' },
      'accept-ranges': { type: 'string', enum: ['bytes', 'none'] },
    },
  },
  206: { ...media('The range that was asked for', ...bytes), headers: { 'content-range': { type: 'string' } } },
  304: z.null().describe('The ETag of the request is still good'),
  ...refusals(400, 404, 410, 416, 502),
};

function addMethod(app: App, context: Context, method: 'GET' | 'HEAD'): void {
  app.route({
    method,
    url: '/api/tasks/:id/results/:index',
    exposeHeadRoute: false,
    onRequest: requireScope(context.authenticate, 'read'),
    schema: {
      operationId: method === 'GET' ? 'getResultFile' : 'headResultFile',
      tags: ['tasks'],
      security: bearer,
      summary: 'The bytes of one picture, video or sound, or a range of them',
      params: z.object({ id: taskId, index: z.coerce.number().int().min(0).max(99) }),
      response: replies,
    },
    handler: async (request, reply) => {
      const task = await ownTask(context.store, request, request.params.id);
      const key = { taskId: task.id, index: request.params.index };
      const file = task.files[key.index];
      if (file === undefined) {
        throw ownProblem('result_not_found', `the task has ${task.files.length} results, numbered from 0`);
      }
      if (file.deleted === true) throw ownProblem('result_deleted', 'results are kept for a limited time');
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(TIMEOUT_MS)]);
      void reply
        .header('cache-control', 'private, max-age=3600')
        .header('content-security-policy', "default-src 'none'; sandbox");
      const { kept } = file;
      if (kept !== undefined && (await sendKept(context, reply, key, kept, signal))) return reply;
      return await sendUpstream(context, reply, file, signal);
    },
  });
}

/** @returns false when the copy is gone after all */
async function sendKept(
  { results }: Context,
  reply: FastifyReply,
  key: ResultKey,
  kept: Kept,
  signal: AbortSignal,
): Promise<boolean> {
  const { method, headers } = reply.request;
  void reply.header('etag', kept.etag).header('accept-ranges', 'bytes');
  if (matches(headers['if-none-match'], kept.etag)) {
    await reply.code(304).send();
    return true;
  }
  const isFresh = headers['if-range'] === undefined || headers['if-range'] === kept.etag;
  const range = method === 'GET' && isFresh ? rangeOf(headers.range, kept.bytes) : 'all';
  if (range === 'unsatisfiable') {
    void reply.header('content-range', `bytes */${kept.bytes}`);
    throw ownProblem('range_not_satisfiable', `the result has ${kept.bytes} bytes`);
  }
  const part = range === 'all' ? undefined : range;
  void reply.type(kept.type).header('content-length', part === undefined ? kept.bytes : part.last - part.first + 1);
  if (method === 'HEAD') {
    await reply.send();
    return true;
  }
  const bytes = await results?.get(key, part, signal).catch((error: unknown) => {
    reply.request.log.error({ task: key.taskId, err: error }, 'kept result could not be read');
    if (error instanceof ResultStoreError)
      throw ownProblem('results_unavailable', 'try again', { retryAfterSeconds: 5 });
    throw error;
  });
  if (bytes === undefined) {
    for (const name of ['etag', 'accept-ranges', 'content-length']) void reply.removeHeader(name);
    return false;
  }
  if (part !== undefined)
    void reply.code(206).header('content-range', `bytes ${part.first}-${part.last}/${kept.bytes}`);
  await reply.send(bytes);
  return true;
}

async function sendUpstream(
  { egress }: Context,
  reply: FastifyReply,
  file: TaskFile,
  signal: AbortSignal,
): Promise<FastifyReply> {
  const upstream = await openResult(egress, file.url, signal).catch((error: unknown) => {
    if (error instanceof DownloadError) throw upstreamResultProblem(error.message, { cause: error });
    throw error;
  });
  void reply.type(typeOf(upstream)).header('accept-ranges', 'none');
  const length = upstream.headers['content-length'];
  if (length !== undefined) void reply.header('content-length', length);
  if (reply.request.method === 'HEAD') {
    upstream.body.on('error', () => {}).destroy();
    return await reply.send();
  }
  return await reply.send(Readable.from(bounded(upstream.body)));
}
