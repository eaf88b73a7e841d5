import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type FakeApi, startFakeApi } from './fake-api.ts';
import type { Mcp } from './server.ts';
import { startForTest } from './start-for-test.ts';

vi.setConfig({ testTimeout: 30_000 });

let api: FakeApi;
let mcp: Mcp;
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(async () => {
  await mcp.close();
  await api.close();
});

async function start(sessions?: { limit: number; idleSeconds: number }): Promise<void> {
  mcp = await startForTest({
    apiUrl: api.url,
    callers: { alice: 'key-of-alice', bob: 'key-of-bob' },
    ...(sessions === undefined ? {} : { sessions }),
  });
}

function send(who: string, method: string, body?: unknown, session?: string) {
  return fetch(mcp.url, {
    method,
    headers: {
      authorization: `Bearer key-of-${who}`,
      accept: 'application/json, text/event-stream',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(session === undefined ? {} : { 'mcp-session-id': session }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
};
const LIST = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
async function open(who: string) {
  const reply = await send(who, 'POST', INITIALIZE);
  await reply.text();
  return { status: reply.status, id: reply.headers.get('mcp-session-id') };
}

it('there are none unless asked for', async () => {
  await start();
  expect(await open('alice')).toEqual({ status: 200, id: null });
  expect((await send('alice', 'GET')).status).toBe(405);
});

it('a session serves whoever opened it, until it is deleted', async () => {
  await start({ limit: 10, idleSeconds: 60 });
  const { id } = await open('alice');
  expect(id).not.toBeNull();
  const session = id ?? '';
  expect(await (await send('alice', 'POST', LIST, session)).text()).toContain('create_text_to_image_tool');
  expect((await send('bob', 'POST', LIST, session)).status).toBe(404);
  expect((await send('bob', 'DELETE', undefined, session)).status).toBe(404);
  expect((await send('alice', 'POST', LIST)).status).toBe(400);
  expect((await send('alice', 'DELETE', undefined, session)).status).toBe(200);
  expect((await send('alice', 'POST', LIST, session)).status).toBe(404);
});

it('there are never more than allowed, and those that nobody uses are closed', async () => {
  await start({ limit: 2, idleSeconds: 1 });
  expect([(await open('alice')).status, (await open('alice')).status]).toEqual([200, 200]);
  const refused = await send('bob', 'POST', INITIALIZE);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30']);
  await vi.waitFor(async () => expect((await open('bob')).status).toBe(200), { timeout: 10_000, interval: 200 });
});

it('the newer era is served beside them, and readiness leaves no session behind', async () => {
  await start({ limit: 1, idleSeconds: 60 });
  for (let round = 0; round < 5; round++) {
    expect((await fetch(`http://127.0.0.1:${mcp.management.port}/readyz`)).status).toBe(200);
  }
  expect((await open('alice')).status).toBe(200);
});
