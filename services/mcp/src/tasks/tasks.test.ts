import { signAssertion } from '@klingapi/identity';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { type FakeApi, INTERNAL_KEY, PIXEL, startFakeApi } from '../fake-api.ts';
import type { Mcp } from '../server.ts';
import { startForTest } from '../start-for-test.ts';
import { mcpTask } from './kling-tasks.ts';

vi.setConfig({ testTimeout: 30_000 });

const TASKS = 'io.modelcontextprotocol/tasks';
const DECLARED = { extensions: { [TASKS]: {} } };

let api: FakeApi;
let mcp: Mcp;
let other: Mcp;

beforeAll(async () => {
  api = await startFakeApi();
  const callers = { alice: 'key-of-alice' };
  const start = () => startForTest({ apiUrl: api.url, callers });
  [mcp, other] = [await start(), await start()];
});
afterAll(async () => {
  await Promise.all([mcp.close(), other.close()]);
  await api.close();
});

interface How {
  /** What the request says its client can do. */
  capabilities?: object;
  headers?: Record<string, string>;
  server?: Mcp;
}

const replySchema = z.object({
  result: z.record(z.string(), z.any()).optional(),
  error: z.object({ code: z.number(), message: z.string(), data: z.unknown().optional() }).optional(),
});

/** One request as it is on the wire. */
async function send(method: string, params: Record<string, unknown>, how: How = {}) {
  const name = params['taskId'] ?? params['name'];
  const reply = await fetch((how.server ?? mcp).url, {
    method: 'POST',
    headers: {
      authorization: 'Bearer key-of-alice',
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
      ...how.headers,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': how.capabilities ?? DECLARED,
        },
      },
    }),
  });
  const { result, error } = replySchema.parse(await reply.json());
  return { status: reply.status, result: result ?? {}, error };
}
const callTool = (name: string, args: object, how?: How) => send('tools/call', { name, arguments: args }, how);
const create = (how?: How) => callTool('create_text_to_image_tool', { prompt: 'a cat' }, how);
async function begin(): Promise<string> {
  return String((await create()).result['taskId']);
}

describe('a client with the extension', () => {
  it('gets a task from a create, and its result when it has ended, from any replica', async () => {
    const { result } = await create();
    const taskId = String(result['taskId']);
    const times = { createdAt: '2026-11-24T10:00:00.000Z', lastUpdatedAt: '2026-11-24T10:00:01.000Z' };
    const told = { taskId, statusMessage: 'The task is submitted', ...times, ttlMs: null };
    const { _meta, structuredContent, ...wire } = result;
    expect(wire).toEqual({
      resultType: 'task',
      status: 'working',
      ...told,
      pollIntervalMs: expect.any(Number),
      content: [],
    });
    expect(structuredContent).toMatchObject({ id: taskId, status: 'submitted' });

    const early = await send('tasks/get', { taskId }, { server: other });
    expect(early.result).toMatchObject({ resultType: 'complete', status: 'working', ...told });
    expect(early.result).not.toHaveProperty('result');
    expect(api.received.at(-1)).toMatchObject({ route: `GET /api/tasks/${taskId}`, subject: 'alice' });

    api.finish(taskId);
    const ended = await send('tasks/get', { taskId }, { server: other });
    expect(ended.result).toMatchObject({ resultType: 'complete', status: 'completed', taskId });
    expect(ended.result['result']).toMatchObject({
      resultType: 'complete',
      content: [
        { type: 'text', text: expect.stringContaining('The task has succeeded.') },
        { type: 'image', mimeType: 'image/png', data: PIXEL.toString('base64') },
        { type: 'resource_link', uri: `kling://tasks/${taskId}` },
        { type: 'resource_link', uri: 'https://cdn.example/0.png' },
      ],
      structuredContent: { id: taskId, status: 'succeeded' },
    });
  });

  it('gets a task of its own from a wait, and the result at once when there is one', async () => {
    const taskId = await begin();
    const wait = () => callTool('wait_for_task_completion_tool', { task_id: taskId });
    const ids = [(await wait()).result['taskId'], (await wait()).result['taskId']].map(String);
    expect(new Set([taskId, ...ids]).size).toBe(3);
    api.finish(taskId);
    for (const id of ids) {
      expect((await send('tasks/get', { taskId: id })).result).toMatchObject({ taskId: id, status: 'completed' });
    }
    expect((await wait()).result).toMatchObject({
      resultType: 'complete',
      structuredContent: { id: taskId, status: 'succeeded' },
      content: [{ type: 'text' }, { type: 'image' }, { type: 'resource_link' }, { type: 'resource_link' }],
    });
    const unknown = await callTool('wait_for_task_completion_tool', { task_id: 'nothing' });
    expect(unknown.result).toMatchObject({ resultType: 'complete', isError: true });
  });

  it('is told at once what cannot be made', async () => {
    api.answerOnce(400, { detail: 'The request is not valid.', code: 'invalid_request' });
    expect((await create()).result).toMatchObject({ resultType: 'complete', isError: true });
  });

  it('sees a task that failed as completed, with a result that says so', async () => {
    const taskId = await begin();
    api.answerOnce(200, { id: taskId, status: 'failed', error: { code: 'upstream_risk', message: 'Not allowed' } });
    expect((await send('tasks/get', { taskId })).result).toMatchObject({
      status: 'completed',
      result: {
        isError: true,
        content: [
          { text: expect.stringContaining('The task has failed: Not allowed') },
          { type: 'resource_link', uri: `kling://tasks/${taskId}` },
        ],
      },
    });
  });

  it('may say that it no longer wants a task, which goes on', async () => {
    const taskId = await begin();
    for (const [method, more] of [
      ['tasks/cancel', {}],
      ['tasks/update', { inputResponses: { nobody: { action: 'accept' } } }],
    ] as const) {
      const { result } = await send(method, { taskId, ...more });
      const { _meta, ...acknowledged } = result;
      expect(acknowledged).toEqual({ resultType: 'complete' });
    }
    expect((await send('tasks/get', { taskId })).result).toMatchObject({ status: 'working' });
    api.finish(taskId);
    expect((await send('tasks/get', { taskId })).result).toMatchObject({ status: 'completed' });
    expect((await send('tasks/cancel', { taskId })).result).toMatchObject({ resultType: 'complete' });
  });

  it.each(['tasks/get', 'tasks/cancel', 'tasks/update'])(
    'is refused by %s what is no task of its own',
    async (method) => {
      const { status, error } = await send(method, { taskId: 'nothing', inputResponses: {} });
      expect([status, error]).toEqual([200, { code: -32602, message: 'There is no task nothing' }]);
      expect((await send(method, {})).error).toMatchObject({ code: -32602 });
      const taskId = await begin();
      for (const headers of [{ 'mcp-name': 'another' }, { 'mcp-name': '' }, { 'mcp-method': 'tools/list' }]) {
        const refused = await send(method, { taskId, inputResponses: {} }, { headers });
        expect([refused.status, refused.error?.code]).toEqual([400, -32020]);
      }
    },
  );

  it('does not notice that the API is away for a moment', async () => {
    const taskId = await begin();
    api.answerOnce(503, { detail: 'This process is ending.', code: 'draining' });
    expect((await send('tasks/get', { taskId })).result).toMatchObject({ status: 'working' });
    expect(api.planned()).toBe(false);
  });

  it('is told in words when the API cannot be asked', async () => {
    const taskId = await begin();
    api.answerOnce(403, { detail: 'Who are you?' });
    expect((await send('tasks/get', { taskId })).error).toMatchObject({
      code: -32603,
      message: expect.stringContaining('Who are you?'),
    });
  });

  it('may ask for tasks with the scope that reads', async () => {
    const taskId = await begin();
    const as = async (scope: 'read' | 'handshake') => {
      const token = await signAssertion({ subject: 'system:x', audience: 'mcp', scopes: [scope] }, INTERNAL_KEY);
      return (await send('tasks/get', { taskId }, { headers: { authorization: `Bearer ${token}` } })).status;
    };
    expect([await as('read'), await as('handshake')]).toEqual([200, 403]);
    const metrics = await (await fetch(`http://127.0.0.1:${mcp.management.port}/metrics`)).text();
    expect(metrics).toMatch(/klingapi_mcp_requests_total\{method="tasks\/get",tool="",era="modern",status="200"/);
  });
});

describe('a client without the extension', () => {
  it.each([
    {},
    { extensions: {} },
    { extensions: { 'io.modelcontextprotocol/other': {} } },
    { tasks: { requests: { tools: { call: {} } } } },
  ])('gets what it always got: %j', async (capabilities) => {
    const { result } = await create({ capabilities });
    expect(result).toMatchObject({ resultType: 'complete', structuredContent: { status: 'submitted' } });
    expect(JSON.stringify(result['content'])).toContain('wait_for_task_completion_tool');
    expect(result).not.toHaveProperty('taskId');
    for (const method of ['tasks/get', 'tasks/cancel', 'tasks/update']) {
      const { status, error } = await send(method, { taskId: 'x', inputResponses: {} }, { capabilities });
      expect([method, status, error]).toMatchObject([
        method,
        400,
        { code: -32021, data: { requiredCapabilities: DECLARED } },
      ]);
    }
  });
});

describe('the extension', () => {
  it('is announced to the newer era alone, without what it has replaced', async () => {
    const { result } = await send('server/discover', {});
    expect(result['capabilities']).toMatchObject(DECLARED);
    expect(result['capabilities']).not.toHaveProperty('tasks');
    for (const method of ['tasks/list', 'tasks/result']) {
      expect((await send(method, { taskId: 'x' })).error?.code).toBe(-32601);
    }
    const old = async (method: string, params: object) => {
      const reply = await fetch(mcp.url, {
        method: 'POST',
        headers: {
          authorization: 'Bearer key-of-alice',
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      });
      return await reply.text();
    };
    const clientInfo = { name: 'x', version: '1' };
    const hello = await old('initialize', { protocolVersion: '2025-11-25', capabilities: DECLARED, clientInfo });
    expect(hello).toContain('"protocolVersion":"2025-11-25"');
    expect(hello).not.toContain('extensions');
    expect(await old('tasks/get', { taskId: 'x' })).toContain('-32601');
  });

  it('has clients ask again after a tenth of the age of a task, between 2 and 10 seconds', () => {
    const createdAt = '2026-11-24T10:00:00.000Z';
    const asked = (seconds: number) =>
      mcpTask({ id: 'x', status: 'processing', createdAt }, 'x', Date.parse(createdAt) + seconds * 1000).pollIntervalMs;
    expect([-60, 0, 20, 33.333, 60, 3600].map(asked)).toEqual([2000, 2000, 2000, 3333, 6000, 10_000]);
  });
});
