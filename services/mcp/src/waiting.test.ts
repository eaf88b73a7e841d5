import { setTimeout } from 'node:timers/promises';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { ApiClient } from './api-client.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';
import { createOpenWaits } from './open-waits.ts';
import type { Mcp } from './server.ts';
import { startForTest } from './start-for-test.ts';
import { waitForTask } from './tools/wait.ts';

vi.setConfig({ testTimeout: 30_000 });

const WAIT = 'wait_for_task_completion_tool';
/** What the SDK's clients wait for an answer, unless told otherwise. */
const CLIENT_PATIENCE_SECONDS = 60;

let api: FakeApi;
let mcp: Mcp;
let other: Mcp;
let made = 0;
let task_id: string;

beforeAll(async () => {
  api = await startFakeApi();
  const callers = { alice: 'key-of-alice', bob: 'key-of-bob' };
  const start = () => startForTest({ apiUrl: api.url, callers });
  [mcp, other] = [await start(), await start()];
});
afterAll(async () => {
  await Promise.all([mcp.close(), other.close()]);
  await api.close();
});
beforeEach(() => {
  made += 1;
  task_id = `text-to-image-${made}`;
});
afterEach(async () => {
  vi.useRealTimers();
  api.finish(task_id);
  await vi.waitFor(() => expect(api.waiting()).toBe(0), 5_000);
});

const META = {
  modern: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  },
  legacy: {},
};
type Era = keyof typeof META;

function post(era: Era, message: { method: string; params: Record<string, unknown> }, how: Partial<Posted> = {}) {
  const { who = 'alice', to = mcp, id } = how;
  const { method, params } = message;
  const meta = { ...META[era], ...(params['_meta'] ?? {}) };
  return fetch(to.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer key-of-${who}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(era === 'modern'
        ? { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, 'mcp-name': String(params['name']) }
        : {}),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } }),
  });
}
interface Posted {
  who: string;
  to: Mcp;
  /** Without one it is a notification. */
  id: number | string;
}

const waitFor = (era: Era, how: Partial<Posted> & { progressToken?: string } = {}) => {
  const { progressToken } = how;
  const _meta = progressToken === undefined ? {} : { progressToken };
  const params = { name: WAIT, arguments: { task_id, timeout: 300, poll_interval: 60 }, _meta };
  return post(era, { method: 'tools/call', params }, { id: 7, ...how });
};
const cancelled = (requestId: number | string, how: Partial<Posted> = {}) =>
  post('legacy', { method: 'notifications/cancelled', params: { requestId, reason: 'enough' } }, how);
const untilWaiting = (count: number) => vi.waitFor(() => expect(api.waiting()).toBe(count), 5_000);

async function legacy() {
  const client = new LegacyClient({ name: 'legacy', version: '1' });
  const headers = { authorization: 'Bearer key-of-alice' };
  const transport = new LegacyTransport(new URL(mcp.url), { requestInit: { headers } });
  // The types of this package predate exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return client;
}
async function modern() {
  const client = new ModernClient(
    { name: 'modern', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  const headers = { authorization: 'Bearer key-of-alice' };
  await client.connect(new ModernTransport(new URL(mcp.url), { requestInit: { headers } }));
  return client;
}

describe.each([
  ['legacy', legacy],
  ['modern', modern],
] as const)('a %s client that waits', (era, connect) => {
  it('gets a comment every 15 seconds on which nothing else is said', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const reply = await waitFor(era, { progressToken: 'p' });
    const reader = reply.body?.pipeThrough(new TextDecoderStream()).getReader();
    const next = async () => (await reader?.read())?.value ?? '';
    expect(reply.headers.get('content-type')).toBe('text/event-stream');
    expect(reply.headers.get('x-accel-buffering')).toBe('no');
    expect(await next()).toContain('notifications/progress');
    for (let each = 0; each < 2; each += 1) {
      const comment = next();
      vi.advanceTimersByTime(15_000);
      expect(await comment).toMatch(/^:.*\n\n$/);
    }
    api.finish(task_id);
    expect(await next()).toContain('"status":"succeeded"');
  });

  it('ends the wait by no longer wanting it, at once and without another word', async () => {
    const client = await connect();
    const controller = new AbortController();
    const seen: unknown[] = [];
    const how = { signal: controller.signal, onprogress: (progress: unknown) => seen.push(progress) };
    const params = { name: WAIT, arguments: { task_id, poll_interval: 1 } };
    const waiting =
      client instanceof LegacyClient ? client.callTool(params, undefined, how) : client.callTool(params, how);
    waiting.catch(() => {});
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(0), 5_000);
    await untilWaiting(1);
    const before = performance.now();
    controller.abort();
    await untilWaiting(0);
    expect(performance.now() - before).toBeLessThan(900);
    const told = seen.length;
    const asked = api.received.length;
    await setTimeout(1_500);
    expect([seen.length, api.received.length]).toEqual([told, asked]);
    await expect(waiting).rejects.toThrow();
    // The connection is still good for other calls.
    expect((await client.listTools()).tools.length).toBeGreaterThan(0);
    await client.close();
  });

  it('is answered before it gives up, unless it asks for more', async () => {
    const client = await connect();
    const { tools } = await client.listTools();
    const tool = tools.find(({ name }) => name === WAIT);
    const { default: seconds } = z.object({ default: z.number() }).parse(tool?.inputSchema.properties?.['timeout']);
    expect(seconds).toBeLessThanOrEqual(CLIENT_PATIENCE_SECONDS - 10);
    expect(seconds).toBeGreaterThan(30);
    await client.close();
  });
});

it('a legacy client gets comments even when it asks for no progress', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const asked = waitFor('legacy');
  await untilWaiting(1);
  vi.advanceTimersByTime(15_000);
  api.finish(task_id);
  expect(await (await asked).text()).toMatch(/^:.*\n\n[^:].*"status":"succeeded"/s);
});

describe('a cancellation of the older era', () => {
  it('ends what its caller waits for under its id, in the process that it comes to, and says how to go on', async () => {
    const waiting = waitFor('legacy');
    const sameIdOfBob = waitFor('legacy', { who: 'bob' });
    const anotherId = waitFor('legacy', { id: '7' });
    await untilWaiting(3);
    // To another replica; the wait is over by itself in time.
    expect((await cancelled(7, { to: other })).status).toBe(202);
    await setTimeout(100);
    expect(api.waiting()).toBe(3);
    expect((await cancelled(7)).status).toBe(202);
    await untilWaiting(2);
    expect(await (await waiting).text()).toContain('The wait is over, the task goes on.');
    api.finish(task_id);
    for (const reply of await Promise.all([sameIdOfBob, anotherId])) {
      expect(await reply.text()).toContain('The task has succeeded.');
    }
  });

  it('means nothing to the newer era, where the connection tells, nor when nobody waits', async () => {
    const waiting = waitFor('modern');
    await untilWaiting(1);
    expect((await cancelled(7)).status).toBe(202);
    expect((await cancelled('nothing')).status).toBe(202);
    await setTimeout(100);
    expect(api.waiting()).toBe(1);
    api.finish(task_id);
    expect(await (await waiting).text()).toContain('The task has succeeded.');
  });

  it('ends all waits under one id, and none that are over', () => {
    const waits = createOpenWaits();
    const [first, second, third] = [waits.open('alice', 1), waits.open('alice', 1), waits.open('alice', 1)];
    first.close();
    waits.end('alice', 1);
    expect([first, second, third].map(({ ended }) => ended.aborted)).toEqual([false, true, true]);
    second.close();
    third.close();
    const later = waits.open('alice', 1);
    third.close();
    waits.end('alice', 1);
    expect(later.ended.aborted).toBe(true);
  });
});

it('a wait ends in time even when the API does not answer any more', async () => {
  const task = { id: 'x', status: 'processing' as const };
  const silent: Partial<ApiClient> = {
    task: async () => task,
    wait: ({ signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
  };
  const call = { subject: 'alice', scopes: ['read'] as const, signal: new AbortController().signal };
  const started = performance.now();
  const found = await waitForTask(silent as ApiClient, call, {
    taskId: 'x',
    timeoutSeconds: 0.0123,
    progressSeconds: 5,
    now: () => performance.now(),
    progress: async () => {},
    stopping: new AbortController().signal,
  });
  expect(found).toBe(task);
  expect(performance.now() - started).toBeLessThan(5_000);
});
