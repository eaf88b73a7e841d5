import { pagePolicy, type ServedFile, servedFiles } from '@klingapi/page';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../context.ts';
import { matches } from '../results/range.ts';
import pageFiles from './files.baked.ts';
import { describeForms } from './forms.ts';

/** Pictures and videos only from here or from what the page fetched with the caller's key. */
const POLICY = pagePolicy("'self' blob:");

/** `/` and its files, without a key: they hold no secret. */
export function addPage(app: App): void {
  // At the first visit, so that a process nobody looks at pays nothing.
  let made: Promise<ReadonlyMap<string, ServedFile>> | undefined;
  const send = async (name: string, request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    made ??= makeFiles();
    const file = (await made.catch(forget)).get(name);
    if (file === undefined) return reply.callNotFound();
    void reply
      // Asked again at each visit, so that what fits together comes together; mostly answered 304.
      .header('cache-control', 'no-cache')
      .header('etag', file.etag)
      .header('vary', 'accept-encoding')
      .header('content-security-policy', POLICY)
      .header('referrer-policy', 'no-referrer');
    if (matches(request.headers['if-none-match'], file.etag)) return await reply.code(304).send();
    const packs = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    if (packs) void reply.header('content-encoding', 'gzip');
    return await reply.type(file.type).send(packs ? file.packed : file.plain);
  };
  const forget = (error: unknown): never => {
    made = undefined;
    throw error;
  };

  const config = { load: 'vital' } as const;
  app.get('/', { config, schema: { hide: true } }, (request, reply) => send('index.html', request, reply));
  for (const name of ['app.js', 'style.css', 'icon.svg', 'forms.json']) {
    app.get(`/page/${name}`, { config, schema: { hide: true } }, (request, reply) => send(name, request, reply));
  }
}

async function makeFiles(): Promise<ReadonlyMap<string, ServedFile>> {
  return await servedFiles({ ...(await pageFiles()), 'forms.json': JSON.stringify(describeForms()) });
}
