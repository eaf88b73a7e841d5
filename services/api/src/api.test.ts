import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Identity, signAssertion } from '@klingapi/identity';
import { ENDPOINTS, KINDS } from '@klingapi/kling';
import { createLogger, createRegistry } from '@klingapi/management';
import { type Fault, type Sandbox, type SandboxOptions, startSandbox } from '@klingapi/sandbox';
import { PNG } from 'pngjs';
import type { Registry } from 'prom-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { type Api, type ApiOptions, problemSchema, startApi, taskReplySchema } from './index.ts';

// Other work on the machine may slow this down; nothing here waits for a fixed time.
vi.setConfig({ testTimeout: 30_000 });

const INTERNAL_KEY = randomBytes(32).toString('hex');
const PUBLIC = 'https://example.com/a.png';
const PICTURE = PNG.sync.write(new PNG({ width: 300, height: 300 })).toString('base64');

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const open of closing.splice(0).reverse()) await open.close();
});

interface Harness {
  readonly api: Api;
  readonly sandbox: Sandbox;
  readonly registry: Registry;
  readonly logs: string[];
  readonly dataDir: string;
  call(path: string, init?: CallInit): Promise<Called>;
  charges(): Promise<{ tasks: number; charges: { external_task_id: string }[] }>;
}
interface CallInit {
  readonly body?: unknown;
  /** A caller's key; `''` sends no header. */
  readonly key?: string;
  readonly headers?: Record<string, string>;
}
interface Called {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** The real service against the real sandbox, both over HTTP, known to the callers alice and bob. */
async function start(
  options: { faults?: Fault[]; sandbox?: Partial<SandboxOptions>; api?: Partial<ApiOptions>; dataDir?: string } = {},
): Promise<Harness> {
  const faults = options.faults ?? [];
  const sandbox = await startSandbox({
    host: '127.0.0.1',
    port: 0,
    taskSeconds: 0.05,
    fault: (method) => (method === 'POST' ? faults.shift() : undefined),
    ...options.sandbox,
  });
  closing.push(sandbox);
  const callersDir = mkdtempSync(join(tmpdir(), 'callers-'));
  for (const name of ['alice', 'bob']) writeFileSync(join(callersDir, name), `${name}-key`);
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'data-'));
  const registry = createRegistry('api');
  const logs: string[] = [];
  const api = await startApi({
    host: '127.0.0.1',
    port: 0,
    storage: { dataDir },
    upstream: {
      baseUrl: sandbox.url,
      credentials: { apiKey: 'upstream-secret' },
      timeoutMs: 500,
      sleep: async () => {},
    },
    authentication: { auth: 'callers', callersDir, internalKey: INTERNAL_KEY },
    logger: createLogger({ name: 'api', level: 'debug', destination: { write: (line) => logs.push(line) } }),
    registry,
    retryMs: 20,
    ...options.api,
  });
  closing.push(api);
  const call = async (path: string, init: CallInit = {}): Promise<Called> => {
    const reply = await fetch(api.url + path, {
      method: init.body === undefined ? 'GET' : 'POST',
      headers: {
        ...(init.key === '' ? {} : { authorization: `Bearer ${init.key ?? 'alice-key'}` }),
        ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...init.headers,
      },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    });
    const text = await reply.text();
    return { status: reply.status, headers: reply.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
  const charges = async () =>
    z
      .object({ tasks: z.number(), charges: z.array(z.object({ external_task_id: z.string() })) })
      .parse(await (await fetch(`${sandbox.url}/sandbox/charges`)).json());
  return { api, sandbox, registry, logs, dataDir, call, charges };
}

/** An address that refuses connections. */
async function closedPort(): Promise<string> {
  const { url, close } = await startSandbox({ host: '127.0.0.1', port: 0 });
  await close();
  return url;
}

const images = '/api/images/generations';
const creates = [
  { path: images, body: { prompt: 'a fox' }, kind: 'text-to-image', result: 'images' },
  { path: '/api/videos/text-to-video', body: { prompt: 'a fox runs' }, kind: 'text-to-video', result: 'videos' },
  { path: '/api/videos/image-to-video', body: { image: PUBLIC }, kind: 'image-to-video', result: 'videos' },
  {
    path: '/api/try-on/virtual',
    body: { human_image: PUBLIC, cloth_image: PUBLIC },
    kind: 'virtual-try-on',
    result: 'images',
  },
] as const;

describe('a create', () => {
  it.each(creates)(
    'of $kind works with its default arguments and is followed to its result',
    async ({ path, body, kind, result }) => {
      const { call } = await start();
      const created = await call(path, { body });
      expect(created.status).toBe(202);
      const task = taskReplySchema.parse(created.body);
      expect(task).toMatchObject({ kind, status: expect.stringMatching(/submitted|processing/), request: body });
      expect(created.headers.get('location')).toBe(`/api/tasks/${task.id}`);

      const waited = await call(`/api/tasks/${task.id}/wait`, { body: { timeoutSeconds: 20 } });
      expect(waited.status).toBe(200);
      const ended = taskReplySchema.parse(waited.body);
      expect(ended).toMatchObject({ id: task.id, status: 'succeeded', charge: { units: expect.any(Number) } });
      expect(Object.keys(ended.result!)).toEqual([result]);

      // The second reply is a remembered one.
      for (const read of [await call(`/api/tasks/${task.id}`), await call(`/api/tasks/${task.id}`)]) {
        expect(read.body).toEqual(waited.body);
        expect(read.headers.get('content-type')).toBe(waited.headers.get('content-type'));
      }
      expect((await call(`/api/tasks/${task.id}`, { key: 'bob-key' })).status).toBe(404);
      const status = await call(`/api/tasks/${task.id}/status`);
      expect(status.body).toEqual({
        id: task.id,
        kind,
        status: 'succeeded',
        createdAt: ended.createdAt,
        updatedAt: ended.updatedAt,
      });
      expect((await call(`/api/tasks/${task.id}/result`)).body).toEqual({
        id: task.id,
        kind,
        status: 'succeeded',
        result: ended.result,
        charge: ended.charge,
      });
    },
  );

  it('gives pictures whose bytes stream through the service and decode', async () => {
    const { api, call } = await start();
    const { id } = taskReplySchema.parse(
      (await call(images, { body: { prompt: 'x', n: 2, aspect_ratio: '1:1' } })).body,
    );
    const ended = taskReplySchema.parse((await call(`/api/tasks/${id}/wait`, { body: {} })).body);
    expect(ended.result!.images!.map((image) => image.href)).toEqual(
      [0, 1].map((n) => `/api/tasks/${id}/results/${n}`),
    );
    for (const image of ended.result!.images!) {
      const reply = await fetch(api.url + image.href, { headers: { authorization: 'Bearer alice-key' } });
      expect(reply.headers.get('content-type')).toBe('image/png');
      expect(PNG.sync.read(Buffer.from(await reply.arrayBuffer()))).toMatchObject({ width: 576, height: 576 });
    }
    expect((await call(`/api/tasks/${id}/results/2`)).body).toMatchObject({ status: 404, code: 'result_not_found' });
  });

  it.each([
    ['cfg_scale', '/api/videos/text-to-video', { prompt: 'x', cfg_scale: 7.5 }],
    ['prompt', images, {}],
    ['n', images, { prompt: 'x', n: 10 }],
    ['prompt', images, { prompt: 'x'.repeat(2501) }],
    ['image', '/api/videos/image-to-video', { prompt: 'x' }],
    ['image', '/api/videos/image-to-video', { image: 'file:///etc/passwd' }],
    ['image', '/api/videos/image-to-video', { image: 'http://localhost:9090/x.png' }],
    ['image', '/api/videos/image-to-video', { image: 'http://127.1/x.png' }],
    ['image', '/api/videos/image-to-video', { image: 'http://0x7f000001/x.png' }],
    ['image', '/api/videos/image-to-video', { image: 'http://169.254.169.254/latest' }],
    ['image', '/api/videos/image-to-video', { image: 'http://[::1]/x.png' }],
    ['image', '/api/videos/image-to-video', { image: 'http://[::ffff:10.0.0.1]/x.png' }],
    ['image', '/api/videos/image-to-video', { image: 'http://[fd00::1]/x.png' }],
    ['image', '/api/videos/image-to-video', { image: 'https://user:pass@example.com/x.png' }],
    ['cloth_image', '/api/try-on/virtual', { human_image: PUBLIC, cloth_image: 'aGVsbG8=' }],
  ])('a wrong %s on %s is refused by its name', async (field, path, body) => {
    const { call, charges } = await start();
    const reply = await call(path, { body });
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    expect(problemSchema.parse(reply.body)).toMatchObject({
      status: 400,
      code: 'invalid_request',
      errors: [{ field, problem: expect.any(String), hint: expect.any(String) }],
    });
    expect(await charges()).toMatchObject({ tasks: 0 });
  });

  it('takes pictures as Base64 with or without the data prefix, and does not repeat them', async () => {
    const { call } = await start();
    for (const image of [PICTURE, `data:image/png;base64,${PICTURE}`]) {
      const reply = await call('/api/videos/image-to-video', { body: { image, duration: 5 } });
      expect(reply.status).toBe(202);
      expect(taskReplySchema.parse(reply.body).request).toMatchObject({
        image: expect.stringMatching(/^\(picture of \d+ bytes\)$/),
        duration: '5',
      });
    }
  });
});

describe('callers', () => {
  it('are needed for everything but health, and see only their own tasks', async () => {
    const { call, logs } = await start();
    expect((await call('/api/health', { key: '' })).body).toEqual({
      status: 'ok',
      version: expect.stringMatching(/^\d/),
    });
    const { id } = taskReplySchema.parse((await call(images, { body: { prompt: 'x' } })).body);
    const paths = [
      `/api/tasks/${id}`,
      `/api/tasks/${id}/status`,
      `/api/tasks/${id}/result`,
      `/api/tasks/${id}/results/0`,
    ];
    for (const key of ['', 'wrong-key-9']) {
      for (const path of paths) {
        const reply = await call(path, { key });
        expect(reply).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
        expect(reply.headers.get('www-authenticate')).toBe('Bearer');
      }
      expect((await call(images, { key, body: { prompt: 'x' } })).status).toBe(401);
      expect((await call(`/api/tasks/${id}/wait`, { key, body: {} })).status).toBe(401);
    }
    for (const path of paths) {
      expect(await call(path, { key: 'bob-key' })).toMatchObject({ status: 404, body: { code: 'task_not_found' } });
    }
    expect(logs.join('')).not.toMatch(/alice-key|bob-key|wrong-key-9|upstream-secret/);
  });

  it('may be spoken for by an assertion with the right scope and audience', async () => {
    const { call } = await start();
    const as = async (identity: Identity, audience: 'api' | 'mcp' = 'api') =>
      await signAssertion({ ...identity, audience }, INTERNAL_KEY);
    const verification = await as({ subject: 'system:verification', scopes: ['read', 'create'] });
    const created = await call(images, { key: verification, body: { prompt: 'x' } });
    expect(created.status).toBe(202);
    const { id } = taskReplySchema.parse(created.body);
    expect((await call(`/api/tasks/${id}`)).status).toBe(404);
    const reader = await as({ subject: 'system:verification', scopes: ['read'] });
    expect((await call(`/api/tasks/${id}`, { key: reader })).status).toBe(200);
    expect(await call(images, { key: reader, body: { prompt: 'x' } })).toMatchObject({
      status: 403,
      body: { code: 'scope_missing' },
    });
    expect((await call(images, { key: await as({ subject: 'a', scopes: ['create'] }, 'mcp'), body: {} })).status).toBe(
      401,
    );
    const alice = await as({ subject: 'alice', scopes: ['read', 'create'] });
    const mine = taskReplySchema.parse((await call(images, { key: alice, body: { prompt: 'x' } })).body);
    expect((await call(`/api/tasks/${mine.id}`)).status).toBe(200);
  });
});

describe('an idempotency key', () => {
  const headers = { 'idempotency-key': 'order-1' };

  it('gives the same task for the same request, also at the same time, and refuses another', async () => {
    const { call, charges } = await start();
    const body = { prompt: 'x', n: 1 };
    const replies = await Promise.all([1, 2, 3].map(() => call(images, { body, headers })));
    replies.push(await call(images, { body: { n: 1, prompt: 'x' }, headers }));
    expect(new Set(replies.map((reply) => taskReplySchema.parse(reply.body).id)).size).toBe(1);
    expect(await charges()).toMatchObject({ tasks: 1 });
    expect(await call(images, { body: { prompt: 'y' }, headers })).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
    expect((await call(images, { key: 'bob-key', body: { prompt: 'y' }, headers })).status).toBe(202);
  });

  it('is free again after a refusal that made no task', async () => {
    const { call, charges } = await start({ faults: ['1301'] });
    expect((await call(images, { body: { prompt: 'x' }, headers })).status).toBe(422);
    expect((await call(images, { body: { prompt: 'better' }, headers })).status).toBe(202);
    expect(await charges()).toMatchObject({ tasks: 1 });
  });
});

describe('upstream', () => {
  const always = (fault: Fault): Fault[] => Array.from({ length: 8 }, () => fault);

  it.each([
    ['1102', 402, 'upstream_balance', null],
    ['1301', 422, 'upstream_moderation', null],
    ['5000', 503, 'upstream_unavailable', '30'],
    ['html', 503, 'upstream_unavailable', '30'],
    ['timeout', 503, 'upstream_timeout', '30'],
  ] as const)('%s is told as %i %s', async (fault, status, code, retryAfter) => {
    const { call, charges } = await start({ faults: always(fault) });
    const reply = await call(images, { body: { prompt: 'x' } });
    const problem = problemSchema.parse(reply.body);
    expect(problem).toMatchObject({ status, code });
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([status, retryAfter]);
    expect((await call(`/api/tasks/${problem.taskId}`)).body).toMatchObject({ status: 'failed', error: { code } });
    expect((await call(`/api/tasks/${problem.taskId}/result`)).body).toMatchObject({
      status: 409,
      code: 'task_failed',
    });
    expect(await charges()).toMatchObject({ tasks: 0 });
  });

  it.each(['1302', '1303'] as const)(
    'that is busy (%s) makes a task wait in the queue, and is asked again',
    async (fault) => {
      const { call, charges, logs } = await start({ faults: [fault, fault] });
      const reply = await call(images, { body: { prompt: 'x' } });
      expect(reply).toMatchObject({ status: 202, body: { status: 'submitted' } });
      const { id } = taskReplySchema.parse(reply.body);
      const ended = await call(`/api/tasks/${id}/wait`, { body: { timeoutSeconds: 20 } });
      expect(ended.body).toMatchObject({ status: 'succeeded' });
      expect(await charges()).toMatchObject({ tasks: 1 });
      expect(logs.filter((line) => line.includes('task queued')).length).toBe(2);
    },
  );

  it('that refuses our key, or that nobody answers for, is told as such', async () => {
    const sleep = async () => {};
    for (const [baseUrl, apiKey, status, code] of [
      [undefined, 'bad-key', 502, 'upstream_key_invalid'],
      [await closedPort(), 'k', 503, 'upstream_unreachable'],
    ] as const) {
      const sandbox = await startSandbox({ host: '127.0.0.1', port: 0 });
      closing.push(sandbox);
      const upstream = { baseUrl: baseUrl ?? sandbox.url, credentials: { apiKey }, sleep };
      const { call } = await start({ api: { upstream } });
      expect(await call(images, { body: { prompt: 'x' } })).toMatchObject({ status, body: { status, code } });
    }
  });

  it.each(['after-create-reset', 'after-create-5000', 'after-create-hang', 'timeout'] as const)(
    'is paid once when a create ends in %s',
    async (fault) => {
      const { call, charges } = await start({ faults: [fault] });
      const task = taskReplySchema.parse((await call(images, { body: { prompt: 'x' } })).body);
      const ended = taskReplySchema.parse((await call(`/api/tasks/${task.id}/wait`, { body: {} })).body);
      expect(ended.status).toBe('succeeded');
      expect(await charges()).toMatchObject({ tasks: 1, charges: [{ external_task_id: task.id }] });
    },
  );

  it('may leave an outcome open; the task is then found in the background', async () => {
    let down = true;
    const { call, charges } = await start({
      sandbox: {
        fault: (method) => (method === 'POST' ? 'after-create-hang' : down ? '5000' : undefined),
      },
    });
    const reply = await call(images, { body: { prompt: 'x' } });
    expect(reply.status).toBe(202);
    const task = taskReplySchema.parse(reply.body);
    expect(task.status).toBe('submitted');
    down = false;
    const ended = await call(`/api/tasks/${task.id}/wait`, { body: { timeoutSeconds: 20 } });
    expect(ended.body).toMatchObject({ status: 'succeeded' });
    expect(await charges()).toMatchObject({ tasks: 1 });
  });
});

describe('an outcome that nobody could find out within a day', () => {
  it('keeps its idempotency key: a task may have been made for it', async () => {
    let later = 0;
    const { call, charges } = await start({
      sandbox: { fault: (method) => (method === 'POST' ? 'after-create-hang' : '5000') },
      api: { now: () => Date.now() + later },
    });
    const request = { body: { prompt: 'x' }, headers: { 'idempotency-key': 'once' } };
    const { id } = taskReplySchema.parse((await call(images, request)).body);
    later = 25 * 3_600_000;
    const failed = { id, status: 'failed', error: { code: 'upstream_outcome_unknown' } };
    expect((await call(`/api/tasks/${id}/wait`, { body: { timeoutSeconds: 20 } })).body).toMatchObject(failed);
    expect((await call(images, request)).body).toMatchObject(failed);
    expect(await charges()).toMatchObject({ tasks: 1 });
  });
});

describe('following a task', () => {
  it('is not given up because Kling could not be asked, however old the task is', async () => {
    let later = 0;
    let failures = 1;
    const { call, logs } = await start({
      sandbox: {
        fault: (method) => (method === 'GET' && later > 0 && failures > 0 && failures-- > 0 ? '5001' : undefined),
      },
      api: { now: () => Date.now() + later },
    });
    const { id } = taskReplySchema.parse((await call(images, { body: { prompt: 'x' } })).body);
    later = 25 * 3_600_000;
    // once the poller has noted it: when it asks again goes by the clock of that moment
    await vi.waitFor(() => expect(logs.join()).toContain('task could not be looked up'), 20_000);
    // The next look-up is due a minute later; another task makes the poller look at the clock.
    later = 26 * 3_600_000;
    await call(images, { body: { prompt: 'y' } });
    const ended = await call(`/api/tasks/${id}/wait`, { body: { timeoutSeconds: 20 } });
    expect(ended.body).toMatchObject({ status: 'succeeded' });
  });

  it('ends when Kling has lost it, instead of going on for ever', async () => {
    let later = 0;
    const { sandbox, call } = await start({ sandbox: { taskSeconds: 3600 }, api: { now: () => Date.now() + later } });
    const { id } = taskReplySchema.parse((await call(images, { body: { prompt: 'x' } })).body);
    await sandbox.close();
    const empty = await startSandbox({ host: '127.0.0.1', port: sandbox.port });
    closing.push(empty);
    later = 61_000;
    expect((await call(`/api/tasks/${id}/wait`, { body: { timeoutSeconds: 20 } })).body).toMatchObject({
      status: 'failed',
      error: { code: 'upstream_task_lost' },
    });
  });

  it('goes on after Kling was away', async () => {
    let failures = 2;
    const { call, logs } = await start({
      sandbox: { fault: (method) => (method === 'GET' && failures-- > 0 ? '5001' : undefined) },
    });
    const { id } = taskReplySchema.parse((await call(images, { body: { prompt: 'x' } })).body);
    const ended = await call(`/api/tasks/${id}/wait`, { body: { timeoutSeconds: 20 } });
    expect(ended.body).toMatchObject({ status: 'succeeded' });
    expect(logs.filter((line) => line.includes('task could not be looked up')).length).toBe(2);
  });
});

describe('waiting', () => {
  it('ends with the time and tells the task as it is; a result asked for too early says so', async () => {
    const { call } = await start({ sandbox: { taskSeconds: 60 } });
    const { id } = taskReplySchema.parse((await call(images, { body: { prompt: 'x' } })).body);
    const waited = await call(`/api/tasks/${id}/wait`, { body: { timeoutSeconds: 0.02 } });
    expect(waited).toMatchObject({ status: 200, body: { status: 'submitted' } });
    const early = await call(`/api/tasks/${id}/result`);
    expect(early).toMatchObject({ status: 409, body: { code: 'task_not_finished' } });
    expect(early.headers.get('retry-after')).toBe('5');
    expect(await call(`/api/tasks/${id}/wait`, { body: { timeoutSeconds: 601 } })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'timeoutSeconds' }] },
    });
  });

  it('can be done by listening: every state once, then the end', async () => {
    const { api, call } = await start({ sandbox: { taskSeconds: 1 } });
    const { id } = taskReplySchema.parse((await call(images, { body: { prompt: 'x' } })).body);
    const events = `${api.url}/api/tasks/${id}/events`;
    expect((await fetch(events)).status).toBe(401);
    expect((await fetch(events, { headers: { authorization: 'Bearer bob-key' } })).status).toBe(404);
    const reply = await fetch(events, { headers: { authorization: 'Bearer alice-key' } });
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    const told = [...(await reply.text()).matchAll(/^event: task\ndata: (.*)\n$/gm)].map(([, data]) =>
      taskReplySchema.parse(JSON.parse(data!)),
    );
    expect(told.map((task) => [task.id, task.status])).toEqual([
      [id, 'submitted'],
      [id, 'processing'],
      [id, 'succeeded'],
    ]);
  });

  it('takes no body at all', async () => {
    const { api, call } = await start();
    const { id } = taskReplySchema.parse((await call(images, { body: { prompt: 'x' } })).body);
    const reply = await fetch(`${api.url}/api/tasks/${id}/wait`, {
      method: 'POST',
      headers: { authorization: 'Bearer alice-key' },
    });
    expect(await reply.json()).toMatchObject({ status: 'succeeded' });
  });
});

describe('the service', () => {
  it('describes every route in OpenAPI', async () => {
    const { call } = await start();
    const document = z
      .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
      .parse((await call('/docs/json', { key: '' })).body);
    const paths = Object.keys(document.paths);
    expect(paths).toEqual(
      expect.arrayContaining([
        ...['/api/health', '/api/images/generations', '/api/try-on/virtual', '/api/videos/image-to-video'],
        ...['/api/videos/text-to-video', '/api/tasks', '/api/tasks/{id}', '/api/tasks/{id}/events'],
        ...['/api/tasks/{id}/result', '/api/tasks/{id}/results/{index}', '/api/tasks/{id}/status'],
        ...[
          '/api/tasks/{id}/wait',
          '/api/models',
          '/api/estimate',
          '/api/usage',
          '/api/usage/callers',
          '/api/callback-secret',
        ],
      ]),
    );
    for (const kind of KINDS) {
      const { path, family } = ENDPOINTS[kind];
      expect(paths).toContain(family === 'new' ? `${path}/{model}` : path);
    }
    expect(paths.filter((path) => path.startsWith('/api/')).length).toBeGreaterThan(KINDS.length);
  });

  it('has a page for people that loads nothing else and lets no foreign script run', async () => {
    const { api } = await start();
    const reply = await fetch(`${api.url}/docs`);
    const page = await reply.text();
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    for (const text of ['/api/images/generations', '/api/tasks/{id}/wait', 'negative_prompt', '16:9, 9:16']) {
      expect(page).toContain(text);
    }
    const upload = page.split('<details>').find((each) => each.includes('<b>POST</b> <code>/api/uploads</code>'));
    expect(upload).toContain('<input type="file" required>');
    expect(upload).not.toContain('<textarea>');
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(reply.headers.get('content-security-policy')).toMatch(
      /default-src 'none'.*script-src 'sha256-[^']+'; connect/,
    );
  });

  it('tells every refusal of its own as a problem', async () => {
    const { api, call } = await start();
    const post = (body: string, type: string) =>
      fetch(api.url + images, {
        method: 'POST',
        headers: { authorization: 'Bearer alice-key', 'content-type': type },
        body,
      });
    for (const [reply, status, code] of [
      [await post('{', 'application/json'), 400, 'invalid_request'],
      [await post('<a/>', 'application/xml'), 415, 'unsupported_media_type'],
      [await post(JSON.stringify({ prompt: 'x'.repeat(33 * 1024 * 1024) }), 'application/json'), 413, 'body_too_large'],
      [await fetch(`${api.url}/nothing`), 404, 'not_found'],
    ] as const) {
      expect(reply.headers.get('content-type')).toContain('application/problem+json');
      expect(problemSchema.parse(await reply.json())).toMatchObject({ status, code });
    }
    expect((await call('/api/tasks/unknown')).body).toMatchObject({ status: 404, code: 'task_not_found' });
  });

  it('counts requests, upstream calls and tasks', async () => {
    const { call, registry } = await start();
    const { id } = taskReplySchema.parse((await call(images, { body: { prompt: 'x' } })).body);
    await call(`/api/tasks/${id}/wait`, { body: {} });
    await vi.waitFor(async () => {
      const text = await registry.metrics();
      const count = (name: string, ...labels: string[]) =>
        text
          .split('\n')
          .find((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)))
          ?.split(' ')
          .at(-1);
      expect(count('http_requests_total', 'method="POST"', 'route="/api/tasks/:id/wait"', 'status="200"')).toBe('1');
      expect(
        count('klingapi_upstream_seconds_count', 'method="POST"', 'path="/v1/images/generations"', 'outcome="ok"'),
      ).toBe('1');
      expect(count('klingapi_tasks', 'state="succeeded"')).toBe('1');
    });
  });

  it('works alone on its folder, and the error names who holds it', async () => {
    const { dataDir } = await start();
    await expect(start({ dataDir })).rejects.toThrow(
      new RegExp(`is in use by process ${process.pid} on .+ since \\d{4}-`),
    );
  });
});
