/** Clients that leave at a bad moment, what breaks in here, and going down. */
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { signAssertion } from '@klingapi/identity';
import { afterEach, expect, it, vi } from 'vitest';
import type { ApiClient } from './api-client.ts';
import { createApiClient } from './api-client.ts';
import { ApiError } from './errors.ts';
import { INTERNAL_KEY, startFakeApi } from './fake-api.ts';
import type { Mcp } from './server.ts';
import { startForTest } from './start-for-test.ts';

vi.setConfig({ testTimeout: 30_000 });
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const HEAD = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const message = (method: string, params: object = {}) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
const create = message('tools/call', { name: 'create_text_to_image_tool', arguments: { prompt: 'a fox' } });

/** An API whose creates do as they are told. */
async function serve(work: ApiClient['create'], errors: unknown[] = []): Promise<Mcp> {
  const api = { ...createApiClient({ url: 'http://127.0.0.1:1', internalKey: undefined }), create: work };
  const mcp = await startForTest({ apiUrl: 'http://127.0.0.1:1', api, onError: (error) => errors.push(error) });
  closing.push(mcp.close);
  return mcp;
}
const metric = async (mcp: Mcp, line: RegExp) =>
  line.exec(await (await fetch(`http://127.0.0.1:${mcp.management.port}/metrics`)).text())?.[1];
const inFlight = (mcp: Mcp) => metric(mcp, /^klingapi_mcp_requests_in_flight\{app="mcp"\} (\d+)$/m);

/** Sends a request and leaves after so long, without reading the reply. */
async function leave(mcp: Mcp, body: string, token: string | undefined, milliseconds: number): Promise<void> {
  const { hostname, port, pathname, host } = new URL(mcp.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  const head = { host, ...HEAD, 'content-length': String(body.length), ...(token && { authorization: token }) };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  await pause(milliseconds);
  socket.resetAndDestroy();
}

it('a client that leaves while its token is looked at keeps no place', async () => {
  const mcp = await startForTest({ apiUrl: 'http://127.0.0.1:1', callers: {}, limits: { maxConcurrent: 3 } });
  closing.push(mcp.close);
  const token = await signAssertion({ subject: 'bob', audience: 'mcp', scopes: ['read'] }, INTERNAL_KEY);
  for (let round = 0; round < 15; round += 1) {
    await Promise.all(Array.from({ length: 40 }, () => leave(mcp, message('tools/list'), `Bearer ${token}`, 0)));
  }
  await vi.waitFor(async () => expect(await inFlight(mcp)).toBe('0'), 5_000);
  const reply = await fetch(mcp.url, {
    method: 'POST',
    headers: { ...HEAD, authorization: `Bearer ${token}` },
    body: message('tools/list'),
  });
  expect(reply.status).toBe(200);
});

it('a client that leaves before it is answered ends its call, and is no success', async () => {
  let ended = 0;
  const mcp = await serve(async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    ended += 1;
    signal.throwIfAborted();
    throw new ApiError('never', 'never', false);
  });
  await leave(mcp, create, undefined, 500);
  await vi.waitFor(async () => expect([await inFlight(mcp), ended]).toEqual(['0', 1]), 5_000);
  const tool = 'tool="create_text_to_image_tool",era="legacy"';
  const left = new RegExp(`^klingapi_mcp_requests_total\\{method="tools/call",${tool},status="(\\d+)".*$`, 'm');
  expect(await metric(mcp, left)).toBe('499');
});

it('what breaks in a tool is told to those who run it, not to the client', async () => {
  const errors: unknown[] = [];
  const secret = new TypeError("Cannot read properties of undefined (reading 'secret')");
  const mcp = await serve(() => Promise.reject(secret), errors);
  for (let again = 0; again < 2; again += 1) {
    const text = await (await fetch(mcp.url, { method: 'POST', headers: HEAD, body: create })).text();
    expect(text).toContain('Something broke in the MCP service');
    expect(text).toContain('"isError":true');
    expect(text).not.toContain('secret');
  }
  expect(errors).toEqual([secret, secret]);
});

it('an id of a task is no way to another path of the API', async () => {
  const api = await startFakeApi();
  closing.push(api.close);
  const mcp = await startForTest({ apiUrl: api.url });
  closing.push(mcp.close);
  for (const task_id of ['.', '..', '\ud800']) {
    const body = message('tools/call', { name: 'get_task_status_tool', arguments: { task_id } });
    const text = await (await fetch(mcp.url, { method: 'POST', headers: HEAD, body })).text();
    expect(text).toContain('There is no task with this id');
  }
  expect(api.received).toEqual([]);
});

it('going down, it ends what it has begun, and then at once', async () => {
  const errors: unknown[] = [];
  const begun = Promise.withResolvers<void>();
  const mcp = await serve(async () => {
    await begun.promise;
    return { id: 'made', status: 'submitted' };
  }, errors);
  const answered = fetch(mcp.url, { method: 'POST', headers: HEAD, body: create });
  await vi.waitFor(async () => expect(await inFlight(mcp)).toBe('1'), 5_000);
  const goDown = async () => {
    for (const step of mcp.drain) await step.run();
  };
  const down = goDown();
  await expect(fetch(mcp.url, { method: 'POST', headers: HEAD, body: create })).rejects.toThrow();
  begun.resolve();
  expect(await (await answered).text()).toContain('made');
  const before = performance.now();
  await down;
  // The client holds its connection for longer.
  expect(performance.now() - before).toBeLessThan(2_000);
  expect(errors).toEqual([]);
});
