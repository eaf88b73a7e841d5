import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApi } from '@klingapi/api';
import { createLogger, createRegistry } from '@klingapi/management';
import { startSandbox } from '@klingapi/sandbox';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { INTERNAL_KEY } from './fake-api.ts';
import { startMcp } from './index.ts';

const cleanups: (() => Promise<unknown>)[] = [];
let client: Client;

beforeAll(async () => {
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 0.2 });
  cleanups.push(sandbox.close);
  const dataDir = await mkdtemp(join(tmpdir(), 'stack-'));
  cleanups.push(() => rm(dataDir, { recursive: true }));
  const api = await startApi({
    host: '127.0.0.1',
    port: 0,
    storage: { dataDir },
    upstream: { baseUrl: sandbox.url, credentials: { apiKey: 'any' } },
    authentication: { auth: 'none', internalKey: INTERNAL_KEY },
    logger: createLogger({ name: 'api', level: 'silent' }),
    registry: createRegistry('api'),
  });
  cleanups.push(api.close);
  const mcp = await startMcp({
    host: '127.0.0.1',
    port: 0,
    path: '/mcp/v1',
    management: { host: '127.0.0.1', port: 0 },
    apiUrl: api.url,
    auth: 'none',
    callersDir: undefined,
    internalKey: INTERNAL_KEY,
    allowedHosts: [],
    allowedOrigins: [],
    handshakeTimeoutMs: 3000,
  });
  cleanups.push(mcp.close);
  client = new Client({ name: 'stack', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new StreamableHTTPClientTransport(new URL(mcp.url)));
  cleanups.push(() => client.close());
}, 20_000);
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

const PICTURE = 'https://pictures.example/a.png';

it.each([
  ['create_text_to_image_tool', { prompt: 'a cat' }, 'images'],
  ['create_text_to_video_tool', { prompt: 'a cat' }, 'videos'],
  ['create_image_to_video_tool', { image_url: PICTURE }, 'videos'],
  ['create_virtual_try_on_tool', { person_image: PICTURE, garment_image: PICTURE }, 'images'],
])('%s works with its defaults through API and sandbox', { timeout: 30_000 }, async (name, args, files) => {
  const made = await client.callTool({ name, arguments: args });
  expect(made.isError ?? false).toBe(false);
  const task_id = (made.structuredContent as { id: string }).id;
  for (const tool of ['get_task_status_tool', 'get_single_task_tool']) {
    const seen = await client.callTool({ name: tool, arguments: { task_id } });
    expect([tool, seen.isError ?? false, seen.structuredContent]).toMatchObject([tool, false, { id: task_id }]);
  }
  const waited = await client.callTool({ name: 'wait_for_task_completion_tool', arguments: { task_id } });
  expect(waited.structuredContent).toMatchObject({ status: 'succeeded', result: { [files]: [{ index: 0 }] } });
  const result = await client.callTool({ name: 'get_task_result_tool', arguments: { task_id } });
  expect(result.structuredContent).toMatchObject({ status: 'succeeded' });
  for (const { content } of [waited, result]) {
    const pictures = content.filter((block) => block.type === 'image');
    expect(pictures.length).toBe(files === 'images' ? 1 : 0);
    for (const { data, mimeType } of pictures) {
      expect(mimeType).toBe('image/png');
      expect(PNG.sync.read(Buffer.from(data, 'base64')).width).toBeGreaterThan(100);
    }
  }
});

it('passes on what Kling refuses, in words', async () => {
  const result = await client.callTool({ name: 'get_single_task_tool', arguments: { task_id: 'nothing' } });
  expect(result.isError).toBe(true);
  expect(JSON.stringify(result.content)).toContain('Check the task_id');
});
