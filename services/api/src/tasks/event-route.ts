import { bearer, ownTask, requireScope } from '../access.ts';
import type { App, Context } from '../context.ts';
import { media, refusals } from '../documented-replies.ts';
import { describeTask, hasEnded } from './task.ts';
import { params } from './task-routes.ts';

/** Proxies end connections that stay silent for a minute. */
const SIGN_OF_LIFE_MS = 15_000;
/** When to come back after the stream broke. */
const RETRY_MS = 2000;

/**
 * Server-sent events: `event: task` with the whole task as data, at once and
 * after each change, until it has ended. A client that comes back after a broken
 * stream loses nothing, because the first event tells how things stand.
 */
export function addEventRoute(app: App, context: Context): void {
  app.route({
    method: 'GET',
    url: '/api/tasks/:id/events',
    exposeHeadRoute: false,
    config: { load: 'wait' },
    onRequest: requireScope(context.authenticate, 'read'),
    schema: {
      tags: ['tasks'],
      security: bearer,
      params,
      operationId: 'streamTask',
      summary: 'The task at once and after each change, as server-sent events',
      response: {
        200: media('Each event is named `task`, its data is the task', 'text/event-stream'),
        ...refusals(400, 404),
      },
    },
    handler: async (request, reply) => {
      const { id } = await ownTask(context.store, request, request.params.id);
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const watch = context.changes.watch(id);
      reply.hijack();
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
        'x-content-type-options': 'nosniff',
      });
      reply.raw.write(`retry: ${RETRY_MS}\n\n`);
      try {
        let told = '';
        while (!gone.signal.aborted) {
          const task = await ownTask(context.store, request, id);
          const data = JSON.stringify(describeTask(task, context.publicUrl));
          reply.raw.write(data === told ? ': still here\n\n' : `event: task\ndata: ${data}\n\n`);
          told = data;
          if (hasEnded(task) || context.draining()) break;
          await watch.next(SIGN_OF_LIFE_MS, gone.signal);
        }
      } catch (error) {
        request.log.error({ err: error, request: request.id }, 'event stream failed');
      } finally {
        watch.close();
        reply.raw.end();
      }
    },
  });
}
