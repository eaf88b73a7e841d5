import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENDPOINTS, EXAMPLES, KINDS } from '@klingapi/kling';
import { createLogger, createRegistry } from '@klingapi/management';
import { startSandbox } from '@klingapi/sandbox';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { problemSchema, startApi } from './index.ts';

/**
 * Requests that are right but for one odd value somewhere in them: they come past
 * the first checks, where bodies that are wrong from the start never do.
 */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const closing: { close(): Promise<void> }[] = [];
let url = '';
beforeAll(async () => {
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 0.01 });
  closing.push(sandbox);
  const api = await startApi({
    ...{ host: '127.0.0.1', port: 0, storage: { dataDir: mkdtempSync(join(tmpdir(), 'data-')) } },
    upstream: { baseUrl: sandbox.url, credentials: { apiKey: 'k' } },
    authentication: { auth: 'none' },
    logger: createLogger({ name: 'api', level: 'silent' }),
    registry: createRegistry('api'),
  });
  closing.push(api);
  url = api.url;
});
afterAll(async () => {
  for (const open of closing.reverse()) await open.close();
});

const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
  const reply = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: reply.status, text: await reply.text() };
};

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    '\u0000',
    'a\u0000b',
    '\ud800',
    '💣',
    '__proto__',
    'http://a/\u0000',
    'https://例え.jp/x',
    -0,
    1e308,
    2 ** 53,
  ),
  fc.constantFrom<unknown>(null, [], {}, true, '', ' ', '9'.repeat(400), { constructor: { prototype: {} } }, [[[[]]]]),
  fc.string({ unit: 'binary' }),
  fc.jsonValue(),
);

/** The value with the odd one in the place of one of its leaves, or beside its fields. */
function spoil(value: unknown, path: readonly number[], by: unknown): unknown {
  if (typeof value !== 'object' || value === null) return by;
  const [at = 0, ...rest] = path;
  if (Array.isArray(value))
    return value.map((each, index) => (index === at % value.length ? spoil(each, rest, by) : each));
  const fields = [...Object.entries(value), ['external_task_id', 'x'], ['callback_url', 'https://example.com/']];
  const index = at % fields.length;
  return Object.fromEntries(fields.map(([name, each], here) => [name, here === index ? spoil(each, rest, by) : each]));
}

describe('a request with something odd in it', () => {
  it('is taken or refused by the caller’s fault, never a failure of the service', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...KINDS),
        fc.array(fc.nat(20), { minLength: 4, maxLength: 4 }),
        odd,
        fc.boolean(),
        async (kind, path, by, asKling) => {
          const { path: own, family } = ENDPOINTS[kind];
          const where = family === 'new' ? `${own}/kling-3.0` : own;
          const body = spoil(EXAMPLES[kind], path, by);
          const { status, text } = asKling
            ? await post(where, JSON.stringify(body))
            : await post('/api/estimate', JSON.stringify({ kind, request: body }));
          expect(status, text).toBeLessThan(500);
          expect(JSON.parse(text)).toEqual(expect.anything());
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ['deep', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['deep in a field', `{"prompt":"x","options":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`],
    ['millions of values', `{"prompt":"x","options":{"a":[${'{},'.repeat(6_000_000)}{}]}}`],
    ['a prototype', '{"prompt":"x","__proto__":{"admin":true}}'],
    ['half a body', '{"prompt":'],
    ['no body at all', ''],
  ])('%s is refused as a problem', async (_name, body) => {
    const { status, text } = await post('/api/videos/text-to-video', body);
    expect([status, problemSchema.parse(JSON.parse(text)).code]).toEqual([400, 'invalid_request']);
  });

  it.each([
    ['settings.junk', { prompt: 'x', settings: { junk: 'a'.repeat(70_000) } }],
    ['settings', { prompt: 'x', settings: Object.fromEntries(Array.from({ length: 9000 }, (_, n) => [`f${n}`, n])) }],
    ['options.a.b', { prompt: 'x', options: { a: { b: { c: 'a'.repeat(70_000) } } } }],
  ])('a request whose %s would be loaded with every look at its task is refused', async (field, body) => {
    const { status, text } = await post('/text-to-video/kling-3.0-turbo', JSON.stringify(body));
    expect([status, JSON.parse(text)]).toMatchObject([400, { code: 1201, message: expect.stringContaining(field) }]);
  });

  it('a picture in the request itself is described, so its size does not count', async () => {
    const png = Buffer.alloc(200_000);
    png.write('89504e470d0a1a0a0000000d494844520000020000000200', 'hex');
    const body = JSON.stringify({ image: png.toString('base64'), prompt: 'x' });
    const { status, text } = await post('/v1/videos/image2video', body);
    expect(status, text).toBe(200);
  });

  it.each([
    '/api/tasks/%00',
    '/api/tasks/%',
    '/api/tasks/%ff',
    '/api/uploads/%00',
    '/api/uploads/not-a-uuid',
    '/v1/videos/text2video/%00',
    '/tasks?task_ids=%00',
    '/v1/%',
  ])('%s is no task', async (path) => {
    const reply = await fetch(url + path);
    expect(reply.status).toBe(400);
    const body = JSON.parse(await reply.text());
    expect(body).toMatchObject(
      path.startsWith('/api') ? { code: 'invalid_request' } : { request_id: expect.any(String) },
    );
  });

  it.each([
    ['PUT', '/api/models', 'GET, HEAD', 'method_not_allowed'],
    ['DELETE', '/api/tasks/1', 'GET, HEAD', 'method_not_allowed'],
    ['PATCH', '/v1/videos/text2video', 'GET, HEAD, POST', 1202],
    ['GET', '/text-to-video/kling-3.0', 'POST', 1202],
  ])('%s %s is told what the path takes', async (method, path, allow, code) => {
    const reply = await fetch(url + path, { method });
    expect([reply.status, reply.headers.get('allow')]).toEqual([405, allow]);
    expect(JSON.parse(await reply.text())).toMatchObject({ code });
  });
});
