import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createLogger, createRegistry } from '@klingapi/management';
import { startSandbox } from '@klingapi/sandbox';
import Fastify from 'fastify';
import { PNG } from 'pngjs';
import { afterEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { problemSchema, startApi, taskReplySchema } from '../index.ts';
import type { LoadLimits } from '../load/load.ts';
import { ProblemError } from '../problem.ts';
import { createFolderStore } from '../results/folder-store.ts';
import type { ResultStore } from '../results/result-store.ts';
import { sendingTime } from '../results/send-kept.ts';
import { acceptMedia } from '../tasks/media.ts';
import { checkUploads } from './references.ts';
import { uploadReplySchema } from './upload.ts';

vi.setConfig({ testTimeout: 60_000 });
const patient = { timeout: 20_000, interval: 20 };
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const PICTURE = PNG.sync.write(new PNG({ width: 400, height: 300 }));

async function start(
  load: Partial<LoadLimits> = {},
  wrap = (results: ResultStore): ResultStore => results,
  publicUrl?: string,
) {
  let letGo = (): void => {};
  const held = new Promise<undefined>((resolve) => {
    letGo = () => resolve(undefined);
  });
  const kling = { asked: 0, hold: false, letGo };
  const sandbox = await startSandbox({
    ...{ host: '127.0.0.1', port: 0, taskSeconds: 0.05 },
    fault: (method) => {
      if (method !== 'POST') return undefined;
      kling.asked += 1;
      return kling.hold ? held : undefined;
    },
  });
  closing.push(() => sandbox.close());
  const api = await startApi({
    ...{ host: '127.0.0.1', port: 0, storage: { dataDir: mkdtempSync(join(tmpdir(), 'data-')) } },
    upstream: { baseUrl: sandbox.url, credentials: { apiKey: 'k' } },
    authentication: { auth: 'none' },
    logger: createLogger({ name: 'api', level: 'silent' }),
    registry: createRegistry('api'),
    results: wrap(createFolderStore(mkdtempSync(join(tmpdir(), 'results-')))),
    load,
    publicUrl,
  });
  closing.push(async () => {
    letGo();
    await api.close();
  });
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
  return { api, post, upload, ended, charged, kling };
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

it('puts files into requests only as far as there is memory for them', async () => {
  let reads = 0;
  const { post, upload, kling } = await start({ bodyBytes: 150_000 }, (results) => ({
    ...results,
    get(...asked) {
      reads += 1;
      return results.get(...asked);
    },
  }));
  const { url } = await upload(Buffer.concat([PICTURE, Buffer.alloc(90_000)]));
  kling.hold = true;
  const sent = [
    post(imageToVideo, { image: url, prompt: 'a fox', model_name: 'kling-v3' }),
    post(imageToVideo, { image: url, prompt: 'a hare', model_name: 'kling-v3' }),
    post('/api/images/recognize', { image: url }),
  ];
  await vi.waitFor(() => expect(kling.asked).toBe(1), patient);
  // A small one, sent after them, has come to Kling.
  sent.push(post('/api/images/generations', { prompt: 'a mouse' }));
  await vi.waitFor(() => expect(kling.asked).toBe(2), patient);
  expect(reads).toBe(1);
  kling.letGo();
  expect((await Promise.all(sent)).map(({ status }) => status)).toEqual([202, 202, 200, 202]);
  expect(reads).toBe(3);
});

it('looks for no more uploads than a request can need, each once, and tells no endless list of errors', async () => {
  const asked: unknown[] = [];
  const context = {
    store: {
      findUpload: async (reference: unknown) => {
        asked.push(reference);
        return undefined;
      },
    },
    uploads: { address: undefined, retentionMs: 86_400_000 },
    now: Date.now,
  };
  const body = (count: number, urlOf: (index: number) => string) => ({
    contents: Array.from({ length: count }, (_, index) => ({ type: 'first_frame', url: urlOf(index) })),
  });
  const errorsOf = async (work: () => Promise<unknown> | unknown) => {
    const error: unknown = await Promise.resolve()
      .then(work)
      .catch((thrown: unknown) => thrown);
    return error instanceof ProblemError ? (error.details.errors ?? []) : [];
  };
  const check = (count: number, urlOf: (index: number) => string) =>
    errorsOf(() => checkUploads(context, 'alice', 'omni-video', body(count, urlOf)));
  expect(await check(51, (index) => `upload:${index}`)).toEqual([
    {
      field: 'contents.0.url',
      problem: 'is one of 51 fields that name uploads',
      hint: 'a request may name 50 uploads at most',
    },
  ]);
  expect(asked).toHaveLength(0);
  expect(await check(50, (index) => `upload:${index}`)).toHaveLength(20);
  expect(asked).toHaveLength(20);
  expect(await check(10, () => 'upload:same')).toHaveLength(10);
  expect(asked).toHaveLength(21);
  expect(
    await errorsOf(() =>
      acceptMedia(
        body(30, () => 'no picture'),
        'omni-video',
      ),
    ),
  ).toHaveLength(20);
});

it('lets those who take a file slowly keep out nobody but others who want files', async () => {
  const outside = 'https://studio.example';
  const { api, post, upload } = await start({ requests: 1, files: 3 }, undefined, outside);
  const video = Buffer.concat([Buffer.from('\0\0\0\x20ftypisom', 'latin1'), Buffer.alloc(30_000_000)]);
  const address = api.url + (await upload(video)).url.slice(outside.length);
  const gone = new AbortController();
  // Whose bodies nobody reads.
  const slow = [1, 2, 3].map(() => fetch(address, { signal: gone.signal }));
  expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200, 200]);
  const refused = await fetch(address);
  expect([refused.status, problemSchema.parse(await refused.json()).code]).toEqual([503, 'overloaded']);
  expect((await fetch(`${api.url}/api/tasks`)).status).toBe(200);
  expect((await post('/api/images/generations', { prompt: 'a fox' })).status).toBe(202);
  gone.abort();
  await vi.waitFor(async () => expect((await fetch(address, { method: 'HEAD' })).status).toBe(200), patient);
});

it('ends a connection on which a file is not taken in time, though all of it has been read', async () => {
  const app = Fastify();
  closing.push(() => app.close());
  app.get('/', async (_request, reply) => {
    sendingTime(reply, 50);
    return await reply.send(Readable.from([Buffer.alloc(30_000_000)]));
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const reply = await fetch(url);
  await vi.waitFor(async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    app.server.getConnections((_error, count) => resolve(count));
    expect(await promise).toBe(0);
  }, patient);
  await expect(reply.arrayBuffer()).rejects.toThrow();
});
