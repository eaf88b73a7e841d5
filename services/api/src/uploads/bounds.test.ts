import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createRegistry } from '@klingapi/management';
import { startSandbox } from '@klingapi/sandbox';
import { PNG } from 'pngjs';
import { afterEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { problemSchema, startApi, taskReplySchema } from '../index.ts';
import type { LoadLimits } from '../load/load.ts';
import { createFolderStore } from '../results/folder-store.ts';
import type { ResultStore } from '../results/result-store.ts';
import { uploadReplySchema } from './upload.ts';

vi.setConfig({ testTimeout: 60_000 });
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const PICTURE = PNG.sync.write(new PNG({ width: 400, height: 300 }));

async function start(load: Partial<LoadLimits> = {}, wrap = (results: ResultStore): ResultStore => results) {
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 0.05 });
  closing.push(() => sandbox.close());
  const api = await startApi({
    ...{ host: '127.0.0.1', port: 0, storage: { dataDir: mkdtempSync(join(tmpdir(), 'data-')) } },
    upstream: { baseUrl: sandbox.url, credentials: { apiKey: 'k' } },
    authentication: { auth: 'none' },
    logger: createLogger({ name: 'api', level: 'silent' }),
    registry: createRegistry('api'),
    results: wrap(createFolderStore(mkdtempSync(join(tmpdir(), 'results-')))),
    load,
  });
  closing.push(() => api.close());
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } };
    const reply = await fetch(api.url + path, { ...init, body: JSON.stringify(body) });
    return { status: reply.status, body: await reply.json() };
  };
  const upload = async (file = PICTURE) => {
    const reply = await fetch(`${api.url}/api/uploads`, { method: 'POST', body: new Uint8Array(file) });
    expect(reply.status).toBe(201);
    return uploadReplySchema.parse(await reply.json());
  };
  const ended = async (id: string) =>
    expect(await post(`/api/tasks/${id}/wait`, { timeoutSeconds: 25 })).toMatchObject({
      body: { status: 'succeeded' },
    });
  const charged = async () =>
    z.object({ tasks: z.number() }).parse(await (await fetch(`${sandbox.url}/sandbox/charges`)).json()).tasks;
  return { api, post, upload, ended, charged };
}

const imageToVideo = '/api/videos/image-to-video';

it('knows a repeated request by its key, though its upload has been deleted', async () => {
  const { api, post, upload, ended, charged } = await start();
  const { id, url } = await upload();
  const send = (prompt: string) =>
    post(imageToVideo, { image: url, prompt, model_name: 'kling-v3' }, { 'idempotency-key': 'once' });
  const first = taskReplySchema.parse((await send('a fox')).body);
  await ended(first.id);
  expect((await fetch(`${api.url}/api/uploads/${id}`, { method: 'DELETE' })).status).toBe(204);
  expect(taskReplySchema.parse((await send('a fox')).body).id).toBe(first.id);
  expect(problemSchema.parse((await send('a hare')).body).code).toBe('idempotency_key_reused');
  expect(await charged()).toBe(1);
});
