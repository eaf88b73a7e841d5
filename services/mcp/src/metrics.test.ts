/** The names and labels that dashboards and alerts are made for: a change here is a change for everybody who has some. */
import { signAssertion } from '@klingapi/identity';
import { Registry } from 'prom-client';
import { afterEach, expect, it, vi } from 'vitest';
import { scraped } from '../../management/src/scraped.ts';
import { summarise } from './admission.ts';
import { INTERNAL_KEY, startFakeApi } from './fake-api.ts';
import { createRequestMetrics } from './metrics.ts';
import { startForTest } from './start-for-test.ts';

vi.setConfig({ testTimeout: 30_000 });
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

it('a scrape of the service has the series of the golden file', async () => {
  const api = await startFakeApi();
  closing.push(api.close);
  const mcp = await startForTest({
    apiUrl: api.url,
    auth: 'oauth',
    // Nothing listens there.
    oauth: {
      issuer: 'http://127.0.0.1:1',
      audience: undefined,
      scopes: [],
      publicUrl: 'http://127.0.0.1',
      allowHttp: true,
    },
    limits: { maxBodyBytes: 1_000 },
  });
  closing.push(mcp.close);
  const own = await signAssertion({ subject: 'alice', audience: 'mcp', scopes: ['read'] }, INTERNAL_KEY);
  const post = async (token: string, padding = '') => {
    const params = { name: 'chosen-by-the-caller', arguments: { padding } };
    const reply = await fetch(mcp.url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    });
    await reply.text();
    return reply.status;
  };
  // Labels show with the first series.
  expect(await post(own)).toBe(200);
  expect(await post(own, 'x'.repeat(2_000))).toBe(413);
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'http://127.0.0.1:1', sub: 'a', exp: Date.now() / 1000 + 60 };
  expect(await post(`${encode({ alg: 'RS256' })}.${encode(claims)}.AAAA`)).toBe(503);
  expect((await fetch(`http://127.0.0.1:${mcp.management.port}/readyz`)).status).toBe(200);

  const text = await (await fetch(`http://127.0.0.1:${mcp.management.port}/metrics`)).text();
  expect(text).not.toContain('chosen-by-the-caller');
  await expect(scraped(text)).toMatchFileSnapshot('golden/metrics.golden.txt');
});

it('tells clients apart by their names, the first fifty of them', async () => {
  const registry = new Registry();
  const metrics = createRequestMetrics(registry);
  const ask = (client: string, era: 'legacy' | 'modern' = 'modern') =>
    metrics.observe({ method: 'tools/list', name: '', client, era }, 200, 0.01);
  ask('', 'legacy');
  for (let count = 0; count < 3; count += 1) ask('codex', 'legacy');
  ask('codex');
  for (const odd of ['a"b\n', 'x'.repeat(65), '图']) ask(odd);
  for (let made = 0; made < 1_000; made += 1) ask(`made-up-${made}`);
  ask('codex');
  const text = await registry.metrics();
  const lines = text.split('\n').filter((line) => line.startsWith('klingapi_mcp_client_requests_total'));
  expect(lines).toContain('klingapi_mcp_client_requests_total{client="codex",era="legacy"} 3');
  expect(lines).toContain('klingapi_mcp_client_requests_total{client="codex",era="modern"} 2');
  // With `codex` and `other` there are fifty names.
  expect(lines).toContain('klingapi_mcp_client_requests_total{client="other",era="modern"} 955');
  expect(lines).toHaveLength(51);
});

it.each([
  ['initialize', { method: 'initialize', params: { clientInfo: { name: 'codex' } } }, 'codex'],
  ['a request of the older era', { method: 'tools/list', params: { clientInfo: { name: 'codex' } } }, ''],
  [
    'one of the newer era',
    {
      method: 'tools/list',
      params: {
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'claude-code' },
        },
      },
    },
    'claude-code',
  ],
  ['what is no name', { method: 'initialize', params: { clientInfo: { name: { a: 1 } } } }, ''],
])('the client of %s', (_, message, client) => {
  expect(summarise(message).client).toBe(client);
});
