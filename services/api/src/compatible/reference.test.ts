import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createKlingClient,
  ENDPOINTS,
  EXAMPLES,
  KINDS,
  type Kind,
  type KlingClient,
  OPERATION_EXAMPLES,
  OPERATIONS,
  type Operation,
  type OperationName,
  REQUESTS,
} from '@klingapi/kling';
import { createLogger, createRegistry } from '@klingapi/management';
import { startSandbox } from '@klingapi/sandbox';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { startApi } from '../index.ts';

/** Every endpoint that the vendor's pages name (2026-09-20, and spring 2026 for what they dropped), by hand. */
const NEW = [
  ...['/text-to-video/kling-3.0-turbo', '/image-to-video/kling-3.0-turbo', '/text-to-video/kling-3.0'],
  ...['/image-to-video/kling-3.0', '/omni-video/kling-3.0-omni', '/omni-video/kling-o1', '/text-to-video/kling-2.6'],
  ...['/image-to-video/kling-2.6', '/text-to-video/kling-2.5-turbo', '/image-to-video/kling-2.5-turbo'],
  ...['/motion-control/kling-3.0', '/motion-control/kling-2.6'],
];
/** Each has a create, a query of one and a list. */
const LEGACY = [
  ...['/v1/images/generations', '/v1/images/omni-image', '/v1/images/multi-image2image', '/v1/images/editing/expand'],
  ...['/v1/general/ai-multi-shot', '/v1/images/kolors-virtual-try-on', '/v1/videos/text2video'],
  ...['/v1/videos/image2video', '/v1/videos/omni-video', '/v1/videos/multi-image2video', '/v1/videos/motion-control'],
  ...['/v1/videos/multi-elements', '/v1/videos/video-extend', '/v1/videos/lip-sync', '/v1/videos/advanced-lip-sync'],
  ...['/v1/videos/avatar/image2video', '/v1/videos/effects', '/v1/audio/text-to-audio', '/v1/audio/video-to-audio'],
  ...['/v1/general/advanced-custom-elements', '/v1/general/custom-voices'],
];
const SOLUTIONS = [
  ...['/solutions/virtual_try_on', '/solutions/e-commerce/clothing_dupe', '/solutions/e-commerce/goods_studio'],
  ...['/solutions/talking_agent', '/solutions/drama_subtitle'],
];
const AT_ONCE = [
  'POST /v1/videos/multi-elements/init-selection',
  'POST /v1/videos/multi-elements/add-selection',
  'POST /v1/videos/multi-elements/delete-selection',
  'POST /v1/videos/multi-elements/clear-selection',
  'POST /v1/videos/multi-elements/preview-selection',
  'POST /v1/videos/identify-face',
  'POST /v1/videos/image-recognize',
  'POST /v1/audio/tts',
  'GET /v1/general/advanced-presets-elements',
  'POST /v1/general/delete-advanced-elements',
  'POST /v1/general/delete-elements',
  'GET /v1/general/presets-voices',
  'POST /v1/general/delete-voices',
  'GET /account/costs',
  'POST /account/billing/package',
  'POST /account/billing/balance',
];
const LISTS = ['GET /tasks', 'POST /tasks', 'GET /solutions', 'POST /solutions'];
const REFERENCE = [
  ...NEW.map((path) => `POST ${path}`),
  ...LEGACY.flatMap((path) => [`POST ${path}`, `GET ${path}/{id}`, `GET ${path}`]),
  ...SOLUTIONS.map((path) => `POST ${path}`),
  ...AT_ONCE,
  ...LISTS,
];
/** The vendor's pages disagree on the path; ours is the one that is known to work, and the other is taken as well. */
const NOT_CALLED = ['POST /v1/general/delete-elements'];

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const closing: { close(): Promise<void> }[] = [];
let api: { url: string };
let sandbox: { url: string };
beforeAll(async () => {
  const kling = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 0.02 });
  closing.push(kling);
  sandbox = kling;
  const service = await startApi({
    ...{ host: '127.0.0.1', port: 0, storage: { dataDir: mkdtempSync(join(tmpdir(), 'data-')) } },
    upstream: { baseUrl: kling.url, credentials: { apiKey: 'upstream' } },
    authentication: { auth: 'none' },
    logger: createLogger({ name: 'api', level: 'silent' }),
    registry: createRegistry('api'),
  });
  closing.push(service);
  api = service;
});
afterAll(async () => {
  for (const open of closing.reverse()) await open.close();
});

const isOperation = (name: string): name is OperationName => name in OPERATIONS;
const operations = Object.keys(OPERATIONS).filter(isOperation);
const answered = z.object({
  request: z.object({ method: z.string(), path: z.string(), headers: z.array(z.string()) }),
  response: z.object({ statusCode: z.number() }),
});
const kindAt = (path: string): Kind | undefined => KINDS.find((kind) => ENDPOINTS[kind].path === path);

describe('every endpoint of the vendor', () => {
  it.each(REFERENCE)('is answered here: %s', async (entry) => {
    const [method = '', path = ''] = entry.split(' ');
    const { url, body } = await requestOf(method, path);
    const reply = await fetch(api.url + url, {
      method,
      headers: { authorization: 'Bearer any', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const told = { status: reply.status, ...JSON.parse(await reply.text()) };
    expect(told).toMatchObject({ status: 200, code: 0, request_id: expect.any(String), data: expect.anything() });
  });

  it('is called by the client library', async () => {
    const seen = new Set<string>();
    const note = (told: unknown): void => {
      const { request, response } = answered.parse(told);
      const path = request.path.replace(/\?.*/, '').replace(/[0-9a-f-]{36}$/, '{id}');
      // the API, in this process too, polls under another key
      if (!request.headers.includes('Bearer library')) return;
      if (response.statusCode === 200) seen.add(`${request.method} ${path}`);
    };
    subscribe('undici:request:headers', note);
    onTestFinished(() => void unsubscribe('undici:request:headers', note));
    await callEverything(createKlingClient({ baseUrl: sandbox.url, credentials: { apiKey: 'library' } }));
    expect(REFERENCE.filter((entry) => !seen.has(entry))).toEqual(NOT_CALLED);
  });
});

async function requestOf(method: string, path: string): Promise<{ url: string; body?: unknown }> {
  const operation = operations.find((name) => {
    const { path: first, alsoAt }: Operation = OPERATIONS[name];
    return path === first || path === alsoAt;
  });
  if (operation !== undefined) {
    const example = OPERATION_EXAMPLES[operation];
    const query = new URLSearchParams(
      Object.entries(example).map(([name, value]): [string, string] => [name, `${value}`]),
    );
    return method === 'GET' ? { url: `${path}?${query}` } : { url: path, body: example };
  }
  if (path === '/tasks' || path === '/solutions') {
    return method === 'GET' ? { url: `${path}?task_ids=none` } : { url: path, body: { limit: 10 } };
  }
  if (path.endsWith('/{id}')) {
    const [create] = path.split('/{id}');
    const { data } = await post(`${create}`, EXAMPLES[kindAt(`${create}`) ?? 'effects']);
    return { url: `${create}/${data.task_id}` };
  }
  const kind = kindAt(path) ?? kindAt(path.replace(/\/[^/]+$/, ''));
  if (kind === undefined) throw new Error(`${path} is not known`);
  return method === 'GET' ? { url: path } : { url: path, body: EXAMPLES[kind] };
}

async function post(path: string, body: unknown) {
  const headers = { authorization: 'Bearer any', 'content-type': 'application/json' };
  const reply = await fetch(api.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return JSON.parse(await reply.text());
}

async function callEverything(client: KlingClient): Promise<void> {
  for (const path of [...NEW, ...LEGACY, ...SOLUTIONS]) {
    const model = NEW.includes(path) ? path.split('/')[2] : undefined;
    const kind = kindAt(path) ?? kindAt(path.replace(/\/[^/]+$/, ''));
    if (kind === undefined) throw new Error(`${path} is not known`);
    const request = REQUESTS[kind].parse({ ...EXAMPLES[kind], ...(model === undefined ? {} : { model_name: model }) });
    const { id } = await client.create(kind, request, `mine${path}`);
    expect(await client.find(kind, id)).toMatchObject({ id });
    if (LEGACY.includes(path)) expect(await client.list(kind, 1, 30)).toHaveLength(1);
  }
  const { tasks, nextCursor } = await client.listRecords('tasks', {
    limit: 5,
    status: ['submitted', 'processing', 'succeeded'],
  });
  expect(tasks).toHaveLength(5);
  expect((await client.listRecords('tasks', { cursor: nextCursor ?? '' })).tasks.length).toBeGreaterThan(5);
  expect((await client.listRecords('solutions')).tasks).toHaveLength(SOLUTIONS.length);
  for (const name of operations) await client.call(name, OPERATION_EXAMPLES[name]);
}
