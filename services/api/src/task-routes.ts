import { z } from 'zod';
import { bearer, ownTask, requireScope } from './access.ts';
import type { App, Context } from './context.ts';
import { ownProblem, problemSchema } from './problem.ts';
import {
  describeResult,
  describeStatus,
  describeTask,
  hasEnded,
  taskReplySchema,
  taskResultReplySchema,
  taskStatusReplySchema,
} from './task.ts';

const params = z.object({ id: z.string().min(1).max(128) });
const refusal = { description: 'Refused', content: { 'application/problem+json': { schema: problemSchema } } };
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
    schema: { ...common, summary: 'The whole task', response: { 200: taskReplySchema, '4xx': refusal } },
    handler: (request) => Promise.resolve(describeTask(ownTask(context.store, request, request.params.id))),
  });

  app.route({
    method: 'GET',
    url: '/api/tasks/:id/status',
    onRequest,
    schema: { ...common, summary: 'Only its status', response: { 200: taskStatusReplySchema, '4xx': refusal } },
    handler: (request) => Promise.resolve(describeStatus(ownTask(context.store, request, request.params.id))),
  });

  app.route({
    method: 'GET',
    url: '/api/tasks/:id/result',
    onRequest,
    schema: { ...common, summary: 'Only its result', response: { 200: taskResultReplySchema, '4xx': refusal } },
    handler: async (request) => {
      const task = ownTask(context.store, request, request.params.id);
      if (task.state === 'failed') throw ownProblem('task_failed', task.error?.message ?? 'no reason is known');
      if (task.state !== 'succeeded') {
        throw ownProblem('task_not_finished', `the status is ${describeStatus(task).status}`, { retryAfterSeconds: 5 });
      }
      const { id, kind, charge } = describeTask(task);
      return { id, kind, status: 'succeeded' as const, result: describeResult(task), ...(charge ? { charge } : {}) };
    },
  });

  app.route({
    method: 'POST',
    url: '/api/tasks/:id/wait',
    onRequest,
    schema: {
      ...common,
      summary: 'The task when it has ended, or as it is when the time is over',
      body: waitBody,
      response: { 200: taskReplySchema, '4xx': refusal },
    },
    handler: async (request) => {
      const task = ownTask(context.store, request, request.params.id);
      if (!hasEnded(task)) {
        const gone = new AbortController();
        const onClose = () => gone.abort();
        request.raw.socket.once('close', onClose);
        await context.changes.untilEnded(task.id, request.body.timeoutSeconds * 1000, gone.signal);
        request.raw.socket.off('close', onClose);
      }
      return describeTask(ownTask(context.store, request, task.id));
    },
  });
}
