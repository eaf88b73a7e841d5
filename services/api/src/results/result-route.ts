import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { bearer, ownTask, requireScope } from '../access.ts';
import type { App, Context } from '../context.ts';
import { fileReplies, refusals } from '../documented-replies.ts';
import { ownProblem } from '../problem.ts';
import type { TaskFile } from '../tasks/task.ts';
import { taskId } from '../tasks/task-id.ts';
import { upstreamResultProblem } from '../upstream-problem.ts';
import { bounded, DownloadError, openResult, typeOf } from './download.ts';
import { sendingTime, sendKept } from './send-kept.ts';

/**
 * The bytes of a result, so that clients need no way to Kling's storage: from
 * the copy that is kept here, or as long as there is none from where Kling
 * keeps them, without our key.
 */
export function addResultRoute(app: App, context: Context): void {
  for (const method of ['GET', 'HEAD'] as const) addMethod(app, context, method);
}

const replies = { ...fileReplies, ...refusals(400, 404, 410, 416, 502) };

function addMethod(app: App, context: Context, method: 'GET' | 'HEAD'): void {
  app.route({
    method,
    url: '/api/tasks/:id/results/:index',
    exposeHeadRoute: false,
    config: { load: 'file' },
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
      const signal = sendingTime(reply);
      void reply
        .header('cache-control', 'private, max-age=3600')
        .header('content-security-policy', "default-src 'none'; sandbox");
      const { kept } = file;
      if (kept !== undefined && (await sendKept(context.results, reply, key, kept, signal))) return reply;
      return await sendUpstream(context, reply, file, signal);
    },
  });
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
