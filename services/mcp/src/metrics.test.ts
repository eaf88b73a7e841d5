/** The names and labels that dashboards and alerts are made for: a change here is a change for everybody who has some. */
import { signAssertion } from '@klingapi/identity';
import { afterEach, expect, it, vi } from 'vitest';
import { scraped } from '../../management/src/scraped.ts';
import { INTERNAL_KEY, startFakeApi } from './fake-api.ts';
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
