/** The three checks against an API that misbehaves in each way that matters. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PNG } from 'pngjs';
import { afterEach, describe, expect, it } from 'vitest';
import { verificationSchema } from '../resource/status.ts';
import { handshakeOf } from '../testing.ts';
import { type CheckTargets, runChecks, summarize } from './checks.ts';
import { isUndone } from './policy.ts';

const png = PNG.sync.write(new PNG({ width: 8, height: 6 }));
type Reply = { status?: number; type?: string; body: unknown };
/** Of a list each is given once, and the last again and again. */
type Routes = Record<string, Reply | Reply[]>;

const task = (status: string, more: object = {}) => ({ id: 't1', status, ...more });
const GOOD: Routes = {
  'GET /api/health': { body: { status: 'ok' } },
  'POST /api/images/generations': { status: 202, body: task('submitted') },
  'POST /api/tasks/t1/wait': { body: task('succeeded', { result: { images: [{ href: '/api/tasks/t1/results/0' }] } }) },
  'GET /api/tasks/t1/results/0': { type: 'image/png', body: png },
};

let server: Server | undefined;
afterEach(async () => {
  server?.close();
  server?.closeAllConnections();
});

async function check(
  routes: Routes,
  verdict: Parameters<typeof handshakeOf>[0] = 'Serving',
  image: CheckTargets['image'] = { run: true },
  now = () => 0,
) {
  const left = { ...routes };
  server = createServer((request, reply) => {
    const route = `${request.method} ${request.url}`;
    const [found = { status: 404, body: {} }, ...more] = [left[route] ?? []].flat();
    if (more.length > 0) left[route] = more;
    reply.writeHead(found.status ?? 200, { 'content-type': found.type ?? 'application/json' });
    reply.end(Buffer.isBuffer(found.body) ? found.body : JSON.stringify(found.body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return runChecks(
    {
      apiUrl: url,
      mcpUrl: `${url}/mcp/v1`,
      mcpHeaders: {},
      eras: 'Any',
      handshakeTimeoutMs: 1_000,
      apiAuthorization: async () => 'Bearer x',
      image,
    },
    { fetch, handshake: async () => handshakeOf(verdict), now },
  );
}

const results = (checks: Awaited<ReturnType<typeof check>>): Record<string, string> =>
  Object.fromEntries(checks.map((entry) => [entry.name, `${entry.result}: ${entry.message}`]));

describe('the verification', () => {
  it('takes no picture that claims more pixels than memory holds', async () => {
    const bomb = Buffer.from(png);
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    const checks = await check({ ...GOOD, 'GET /api/tasks/t1/results/0': { type: 'image/png', body: bomb } });
    expect(results(checks)['ImageGeneration']).toBe('Failed: the PNG claims 3600 megapixels');
  });

  it('reads no more of a reply than a reply may have', async () => {
    const endless = { status: 'ok', padding: 'x'.repeat(2_000_000) };
    const checks = await check({ ...GOOD, 'GET /api/health': { body: endless } });
    expect(results(checks)['ApiHealth']).toBe('Failed: the reply is longer than 1048576 bytes');
  });

  it('writes no duration past its bound when the clock is set meanwhile', async () => {
    let clock = 0;
    const checks = await check(GOOD, 'Serving', { run: true }, () => (clock += 86_400_000));
    expect(() => verificationSchema.shape.checks.parse(checks)).not.toThrow();
  });

  it('passes three of three and names the picture', async () => {
    const checks = await check(GOOD);
    expect(summarize(checks)).toBe('3/3');
    expect(results(checks)['ImageGeneration']).toBe('Passed: POST /api/images/generations made a PNG of 8x6');
  });

  it('a skipped picture counts in neither number', async () => {
    expect(summarize(await check(GOOD, 'Serving', { run: false, reason: 'policy' }))).toBe('2/2');
  });

  it('an upstream cause is Inconclusive, never failed', async () => {
    const checks = await check({
      ...GOOD,
      'POST /api/images/generations': { status: 402, body: { code: 'upstream_balance', detail: 'no units left' } },
    });
    expect(results(checks)['ImageGeneration']).toBe(
      'Inconclusive: POST /api/images/generations answered HTTP 402: no units left',
    );
    expect(checks[2]?.reason).toBe('UpstreamBalanceEmpty');
  });

  it.each([
    ['queued', [task('submitted', { queued: true })], 'UpstreamRateLimited', 'found no room at Kling within 20 s'],
    [
      'being tried at the first look and queued at the next',
      [task('submitted'), task('submitted', { queued: true })],
      'UpstreamRateLimited',
      'found no room at Kling within 40 s',
    ],
    ['never done', [task('processing')], 'UpstreamDown', 'was still processing after 120 s'],
  ])('a task that is %s', async (_, looks, reason, message) => {
    const waits = looks.map((body) => ({ body }));
    const checks = await check({ ...GOOD, 'POST /api/tasks/t1/wait': waits });
    expect(checks[2]).toMatchObject({ result: 'Inconclusive', reason, message: `task t1 ${message}` });
  });

  it('what the operator itself cannot do is Inconclusive, and says nothing of the upstream', async () => {
    const checks = await runChecks(
      {
        apiUrl: 'http://studio-api.invalid',
        mcpUrl: 'http://studio-mcp.invalid/mcp/v1',
        mcpHeaders: {},
        eras: 'Any',
        handshakeTimeoutMs: 1_000,
        apiAuthorization: async () => 'Bearer x',
        image: { run: true },
      },
      { fetch, handshake: async () => handshakeOf('Unknown', 'NameResolution'), now: () => 0 },
    );
    expect(checks.map(({ result, reason }) => `${result} ${reason}`)).toEqual(
      Array.from({ length: 3 }, () => 'Inconclusive NameResolution'),
    );
    expect(isUndone({ summary: '0/3', checks, at: '' })).toBe(true);
  });

  it('an API that refuses connections is down', async () => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port } = nobody.address() as AddressInfo;
    nobody.close();
    const apiUrl = `http://127.0.0.1:${port}`;
    const checks = await runChecks(
      {
        apiUrl,
        mcpUrl: apiUrl,
        mcpHeaders: {},
        eras: 'Any',
        handshakeTimeoutMs: 1_000,
        apiAuthorization: async () => 'Bearer x',
        image: { run: true },
      },
      { fetch, handshake: async () => handshakeOf('Unreachable', 'ConnectionRefused'), now: () => 0 },
    );
    expect(checks.map(({ result, reason }) => `${result} ${reason}`)).toEqual([
      'Failed ApiDown',
      'Failed ConnectionRefused',
      'Failed ApiDown',
    ]);
  });

  it.each<[string, Routes, RegExp]>([
    [
      'a refusal of our own',
      { 'POST /api/images/generations': { status: 401, body: { code: 'unauthorized' } } },
      /^Failed: POST \/api\/images\/generations answered HTTP 401/,
    ],
    [
      'a reply of another shape',
      { 'POST /api/images/generations': { body: { task_id: 't1' } } },
      /^Failed: the reply does not match its schema/,
    ],
    [
      'half a picture',
      { 'GET /api/tasks/t1/results/0': { type: 'image/png', body: png.subarray(0, 40) } },
      /^Failed: /,
    ],
    [
      'a page instead of a picture',
      { 'GET /api/tasks/t1/results/0': { type: 'text/html', body: Buffer.from('<html>') } },
      /^Failed: neither PNG nor JPEG/,
    ],
  ])('%s fails the picture', async (_, routes, message) => {
    expect(results(await check({ ...GOOD, ...routes }))['ImageGeneration']).toMatch(message);
  });

  it('an MCP server that asks for credentials is Inconclusive, a dead one failed', async () => {
    expect(results(await check(GOOD, 'AuthRequired'))['McpHandshake']).toMatch(/^Inconclusive: .*headersSecretRef/);
    expect(results(await check(GOOD, 'Failing'))['McpHandshake']).toMatch(/^Failed: /);
  });

  it('a health reply that is not ok fails', async () => {
    expect(results(await check({ ...GOOD, 'GET /api/health': { body: { status: 'broken' } } }))['ApiHealth']).toMatch(
      /^Failed: the reply does not match its schema/,
    );
  });
});
