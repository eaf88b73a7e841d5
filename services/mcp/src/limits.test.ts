import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FakeApi, startFakeApi } from './fake-api.ts';
import { createPlaces } from './limits.ts';
import type { Mcp } from './server.ts';
import { startForTest } from './start-for-test.ts';

vi.setConfig({ testTimeout: 30_000 });

let api: FakeApi;
let mcp: Mcp;
const errors: unknown[] = [];
const faults: string[] = [];

beforeAll(async () => {
  api = await startFakeApi();
  mcp = await startForTest({
    apiUrl: api.url,
    callers: { alice: 'key-of-alice', bob: 'key-of-bob' },
    limits: { maxConcurrent: 3, maxBodyBytes: 100_000, maxConcurrentBodyBytes: 150_000, maxRequestSeconds: 4 },
    onError: (error) => errors.push(error),
    onClientFault: (fault) => faults.push(String(fault)),
  });
});
afterAll(async () => {
  await mcp.close();
  await api.close();
});

const call = (who: string, name: string, args: unknown, { method = 'tools/call', padding = '' } = {}) =>
  fetch(mcp.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer key-of-${who}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { name, arguments: args, _meta: { padding } } }),
  });
const wait = (who: string, more: { padding?: string } = {}) =>
  call(who, 'wait_for_task_completion_tool', { task_id: 'text-to-image-1' }, more);
const metrics = async () => (await fetch(`http://127.0.0.1:${mcp.management.port}/metrics`)).text();

describe('one caller', () => {
  it('has so many requests at a time, and another caller as many; what takes too long is ended in words', async () => {
    const waiting = Array.from({ length: 3 }, () => wait('alice'));
    await vi.waitFor(() => expect(api.waiting()).toBe(3), 10_000);
    expect(await metrics()).toMatch(/klingapi_mcp_requests_in_flight\{app="mcp"\} 3/);
    const refused = await wait('alice');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await refused.json()).toMatchObject({
      error: { code: -32600, message: expect.stringContaining('too many') },
    });
    expect((await call('bob', '', {}, { method: 'tools/list' })).status).toBe(200);
    // Readiness is a caller of its own.
    expect((await fetch(`http://127.0.0.1:${mcp.management.port}/readyz`)).status).toBe(200);
    for (const reply of await Promise.all(waiting)) {
      expect(reply.status).toBe(200);
      expect(await reply.text()).toContain('The call was ended after 4 seconds. A task that it started goes on');
    }
    await vi.waitFor(() => expect(api.waiting()).toBe(0), 10_000);
    expect((await call('alice', '', {}, { method: 'tools/list' })).status).toBe(200);
    const told = await metrics();
    expect(told).toMatch(/klingapi_mcp_limited_total\{limit="concurrency",app="mcp"\} 1/);
    expect(told).toMatch(/klingapi_mcp_limited_total\{limit="time",app="mcp"\} 3/);
  });

  it('has so many bytes at a time', async () => {
    const waiting = wait('alice', { padding: 'x'.repeat(90_000) });
    await vi.waitFor(() => expect(api.waiting()).toBe(1), 10_000);
    expect((await wait('alice', { padding: 'x'.repeat(90_000) })).status).toBe(429);
    expect((await call('bob', 'none', {}, { padding: 'x'.repeat(90_000) })).status).toBe(200);
    api.finish('text-to-image-1');
    expect((await waiting).status).toBe(200);
    const large = await call('bob', 'none', {}, { padding: 'x'.repeat(200_000) });
    expect(large.status).toBe(413);
    expect(await metrics()).toMatch(/klingapi_mcp_limited_total\{limit="body",app="mcp"\} 1/);
  });
});

describe('a fault of a client', () => {
  it('is told as such, and not as an error of ours', async () => {
    faults.length = 0;
    const reply = await fetch(mcp.url, {
      method: 'POST',
      headers: {
        authorization: 'Bearer key-of-bob',
        'content-type': 'application/json',
        accept: 'application/json',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'server/discover',
        params: {
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2099-01-01',
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
    });
    expect(reply.status).toBe(400);
    await vi.waitFor(() => expect(faults.join()).toContain('2099-01-01'), 5_000);
    expect(errors).toEqual([]);
  });
});

it('places are never more than allowed, and are given back once', () => {
  const step = fc.oneof(
    fc.record({ take: fc.constantFrom('a', 'b'), bytes: fc.integer({ min: 0, max: 10 }) }),
    fc.record({ leave: fc.nat(6) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const places = createPlaces({ maxConcurrent: 3, maxConcurrentBodyBytes: 15 });
      const taken: { who: string; bytes: number; leave: () => void; open: boolean }[] = [];
      for (const one of steps) {
        if ('leave' in one) {
          const entry = taken[one.leave];
          entry?.leave();
          if (entry !== undefined) entry.open = false;
          continue;
        }
        const mine = taken.filter(({ who, open }) => open && who === one.take);
        const bytes = mine.reduce((sum, entry) => sum + entry.bytes, 0);
        const fits = mine.length === 0 || (mine.length < 3 && bytes + one.bytes <= 15);
        const leave = places.take(one.take, one.bytes);
        expect(leave !== null).toBe(fits);
        if (leave !== null) taken.push({ who: one.take, bytes: one.bytes, leave, open: true });
      }
      expect(places.taken()).toBe(taken.filter(({ open }) => open).length);
    }),
    { numRuns: 500 },
  );
});
