import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../context.ts';
import { matches } from '../results/range.ts';
import pageFiles from './files.baked.ts';
import { describeForms } from './forms.ts';

/**
 * Scripts and styles only from files of this service, pictures and videos only
 * from it or from what the page fetched with the caller's key; nothing may be
 * made into HTML, and no other page may frame this one.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob:",
  "media-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

interface Served {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly packed: Buffer;
}

/** `/` and its files, without a key: they hold no secret. */
export function addPage(app: App): void {
  // At the first visit, so that a process nobody looks at pays nothing.
  let made: Promise<ReadonlyMap<string, Served>> | undefined;
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

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json; charset=utf-8',
};

async function makeFiles(): Promise<ReadonlyMap<string, Served>> {
  const files = { ...(await pageFiles()), 'forms.json': JSON.stringify(describeForms()) };
  const served = Object.entries(files).map(async ([name, text]): Promise<[string, Served]> => {
    const plain = Buffer.from(text);
    const hash = createHash('sha256').update(plain).digest('base64url').slice(0, 22);
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
    // Weak, because it stands for both encodings.
    return [name, { type, etag: `W/"${hash}"`, plain, packed: await promisify(gzip)(plain, { level: 9 }) }];
  });
  return new Map(await Promise.all(served));
}
