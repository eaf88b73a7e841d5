import { Readable } from 'node:stream';
import { z } from 'zod';
import { bearer, ownTask, requireScope } from '../access.ts';
import type { App, Context } from '../context.ts';
import { ownProblem } from '../problem.ts';
import { upstreamResultProblem } from '../upstream-problem.ts';

/** Larger than any video that Kling makes today. */
const LIMIT_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 120_000;
/** Anything else could be a page that runs in the browser under our origin. */
const PASSED_TYPES = /^(image\/(png|jpeg|webp|gif)|video\/(mp4|quicktime|webm))$/;

/**
 * Streams a result from where Kling keeps it, so that clients need no way to
 * Kling's storage. Only addresses that Kling itself gave for this task are
 * fetched, without our key, and no redirect is followed.
 */
export function addResultRoute(app: App, context: Context): void {
  app.route({
    method: 'GET',
    url: '/api/tasks/:id/results/:index',
    exposeHeadRoute: false,
    onRequest: requireScope(context.authenticate, 'read'),
    schema: {
      tags: ['tasks'],
      security: bearer,
      summary: 'The bytes of one picture or video',
      params: z.object({ id: z.string().min(1).max(128), index: z.coerce.number().int().min(0).max(99) }),
    },
    handler: async (request, reply) => {
      const task = await ownTask(context.store, request, request.params.id);
      const file = task.files[request.params.index];
      if (file === undefined) {
        throw ownProblem('result_not_found', `the task has ${task.files.length} results, numbered from 0`);
      }
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(TIMEOUT_MS)]);
      const upstream = await fetchResult(context.fetch, file.url, signal);
      const type = (upstream.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
      const length = upstream.headers.get('content-length');
      void reply
        .type(PASSED_TYPES.test(type) ? type : 'application/octet-stream')
        .header('cache-control', 'private, max-age=3600')
        .header('content-security-policy', "default-src 'none'; sandbox");
      // A compressed reply has another length after fetch has unpacked it.
      if (length !== null && upstream.headers.get('content-encoding') === null)
        void reply.header('content-length', length);
      return await reply.send(Readable.from(bounded(upstream.body ?? [])));
    },
  });
}

async function fetchResult(fetcher: typeof fetch, url: string, signal: AbortSignal): Promise<Response> {
  if (!/^https?:\/\//i.test(url)) throw upstreamResultProblem('Kling gave an address that is not http(s)');
  let reply: Response;
  try {
    reply = await fetcher(url, { redirect: 'error', signal });
  } catch (cause) {
    throw upstreamResultProblem('the storage of Kling cannot be reached', { cause });
  }
  if (!reply.ok) {
    await reply.body?.cancel();
    throw upstreamResultProblem(`the storage of Kling answered HTTP ${reply.status}; results are kept for 30 days`);
  }
  if (Number(reply.headers.get('content-length') ?? 0) > LIMIT_BYTES) {
    await reply.body?.cancel();
    throw upstreamResultProblem('the result is larger than 64 MB');
  }
  return reply;
}

/** Breaks the stream, and with it the reply, when more comes than was allowed. */
async function* bounded(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > LIMIT_BYTES) throw new Error('the result is larger than 64 MB');
    yield chunk;
  }
}
