import { z } from 'zod';
import { bearer, notFound, ownTask, requireScope, subjectOf } from '../access.ts';
import type { App, Context } from '../context.ts';
import { refusals } from '../documented-replies.ts';
import { ownProblem } from '../problem.ts';
import type { Reply } from './reply-cache.ts';
import {
  describeResult,
  describeStatus,
  describeTask,
  hasEnded,
  taskReplySchema,
  taskResultReplySchema,
  taskStatusReplySchema,
} from './task.ts';
import { taskId } from './task-id.ts';

export const params = z.object({ id: taskId });
const common = { tags: ['tasks'], security: bearer, params };

const waitBody = z
  .object({ timeoutSeconds: z.number().min(0).max(600).default(300).describe('At most 600') })
  .nullish()
  .transform((body) => body ?? { timeoutSeconds: 300 });

export function addTaskRoutes(app: App, context: Context): void {
  const onRequest = requireScope(context.authenticate, 'read');

  app.route({
    method: 'GET',
    url: '/api/tasks/:id',
    onRequest,
    schema: {
      ...common,
      operationId: 'getTask',
      summary: 'The whole task',
      response: { 200: taskReplySchema, ...refusals(400, 404) },
    },
    handler: (request, reply) => {
      const { id } = request.params;
      const own = (found: Reply | undefined): Reply => {
        if (found === undefined || found.subject !== subjectOf(request)) throw notFound(id);
        return found;
      };
      const found = context.replies.of(id);
      if (found instanceof Promise) return found.then((late) => own(late).task);
      const { json, task } = own(found);
      // Asked for more often than all else: neither a promise nor a second look at what was checked when it was remembered.
      void reply
        .type('application/json; charset=utf-8')
        .serializer(() => json)
        .send(task);
      return undefined;
    },
  });

  app.route({
    method: 'GET',
    url: '/api/tasks/:id/status',
    onRequest,
    schema: {
      ...common,
      operationId: 'getTaskStatus',
      summary: 'Only its status',
      response: { 200: taskStatusReplySchema, ...refusals(400, 404) },
    },
    handler: async (request) => describeStatus(await ownTask(context.store, request, request.params.id)),
  });

  app.route({
    method: 'GET',
    url: '/api/tasks/:id/result',
    onRequest,
    schema: {
      ...common,
      operationId: 'getTaskResult',
      summary: 'Only its result',
      response: { 200: taskResultReplySchema, ...refusals(400, 404, 409) },
    },
    handler: async (request) => {
      const task = await ownTask(context.store, request, request.params.id);
      if (task.state === 'failed') throw ownProblem('task_failed', task.error?.message ?? 'no reason is known');
      if (task.state !== 'succeeded') {
        throw ownProblem('task_not_finished', `the status is ${describeStatus(task).status}`, { retryAfterSeconds: 5 });
      }
      const { publicUrl } = context;
      const { id, kind, charge } = describeTask(task, publicUrl);
      const result = describeResult(task, publicUrl);
      return { id, kind, status: 'succeeded' as const, result, ...(charge ? { charge } : {}) };
    },
  });

  app.route({
    method: 'POST',
    url: '/api/tasks/:id/wait',
    config: { load: 'wait' },
    onRequest,
    schema: {
      ...common,
      operationId: 'waitForTask',
      summary: 'The task when it has ended, or as it is when the time is over',
      body: waitBody,
      response: { 200: taskReplySchema, ...refusals(400, 404, 413, 415) },
    },
    handler: async (request) => {
      const { id } = await ownTask(context.store, request, request.params.id);
      const gone = new AbortController();
      const onClose = () => gone.abort();
      request.raw.socket.once('close', onClose);
      const end = performance.now() + request.body.timeoutSeconds * 1000;
      const watch = context.changes.watch(id);
      try {
        for (;;) {
          const task = await ownTask(context.store, request, id);
          const left = end - performance.now();
          if (hasEnded(task) || left <= 0 || gone.signal.aborted || context.draining()) {
            return describeTask(task, context.publicUrl);
          }
          await watch.next(left, gone.signal);
        }
      } finally {
        watch.close();
        request.raw.socket.off('close', onClose);
      }
    },
  });
}
