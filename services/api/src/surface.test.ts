import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Scope, signAssertion } from '@klingapi/identity';
import {
  createKlingClient,
  ENDPOINTS,
  EXAMPLES,
  KINDS,
  OPERATION_EXAMPLES,
  OPERATIONS,
  type OperationName,
  REQUESTS,
} from '@klingapi/kling';
import { createLogger, createRegistry } from '@klingapi/management';
import { startSandbox } from '@klingapi/sandbox';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startApi, taskReplySchema } from './index.ts';

vi.setConfig({ testTimeout: 60_000 });
const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const open of closing.splice(0).reverse()) await open.close();
});

const INTERNAL_KEY = 'an internal key of more than 32 bytes';
const CALLERS = {
  alice: JSON.stringify({ key: 'alice-key', scopes: ['read', 'create', 'account'] }),
  erin: 'erin-key',
  bob: JSON.stringify({ key: 'bob-key', scopes: ['read'] }),
  carol: JSON.stringify({ key: 'carol-key', scopes: ['read', 'create'], limits: { createsPerMinute: 2 } }),
  dave: JSON.stringify({ key: 'dave-key', limits: { unitsPerDay: 20 } }),
};

async function start() {
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 0.05 });
  closing.push(sandbox);
  const callersDir = mkdtempSync(join(tmpdir(), 'callers-'));
  for (const [name, content] of Object.entries(CALLERS)) writeFileSync(join(callersDir, name), content);
  const api = await startApi({
    ...{ host: '127.0.0.1', port: 0, storage: { dataDir: mkdtempSync(join(tmpdir(), 'data-')) } },
    upstream: { baseUrl: sandbox.url, credentials: { apiKey: 'upstream-secret' }, sleep: async () => {} },
    authentication: { auth: 'callers', callersDir, internalKey: INTERNAL_KEY },
    logger: createLogger({ name: 'api', level: 'silent' }),
    registry: createRegistry('api'),
    retryMs: 20,
  });
  closing.push(api);
  const call = async (path: string, body?: unknown, key = 'alice-key') => {
    const reply = await fetch(api.url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: reply.status, headers: reply.headers, body: JSON.parse(await reply.text()) };
  };
  const charges = async (): Promise<{ tasks: number }> =>
    JSON.parse(await (await fetch(`${sandbox.url}/sandbox/charges`)).text());
  return { api, sandbox, call, charges };
}

const isOperation = (name: string): name is OperationName => name in OPERATIONS;
const images = '/api/images/generations';

describe('the Kling-compatible surface', () => {
  it('serves a client of Kling that only changed its base address, for every kind of task', async () => {
    const { api, charges } = await start();
    const client = createKlingClient({ baseUrl: api.url, credentials: { apiKey: 'alice-key' } });
    for (const kind of KINDS) {
      const made = await client.create(kind, REQUESTS[kind].parse(EXAMPLES[kind]), `mine-${kind}`);
      expect(made.externalId).toBe(`mine-${kind}`);
      await expect
        .poll(async () => await client.find(kind, `mine-${kind}`), { timeout: 20_000 })
        .toMatchObject({ id: made.id, status: 'succeeded', units: expect.any(String) });
      expect((await client.find(kind, made.id))?.[ENDPOINTS[kind].result], kind).toHaveLength(
        kind === 'multi-shot-image' ? 9 : 1,
      );
    }
    expect(await charges()).toMatchObject({ tasks: KINDS.length });
    for (const name of Object.keys(OPERATIONS).filter(isOperation)) {
      expect(await client.call(name, OPERATION_EXAMPLES[name]), name).toEqual(expect.anything());
    }
  });

  it('takes an external id once, and tells refusals in the words of Kling', async () => {
    const { call, charges } = await start();
    const body = { prompt: 'a fox', external_task_id: 'e1' };
    expect(await call('/v1/images/generations', body)).toMatchObject({ status: 200, body: { code: 0 } });
    expect(await call('/v1/images/generations', body)).toMatchObject({
      status: 400,
      body: { code: 1201, message: expect.stringContaining('already exists') },
    });
    expect(await charges()).toMatchObject({ tasks: 1 });
    for (const [path, sent, key, status, code] of [
      ['/v1/images/generations/none', undefined, 'alice-key', 400, 1201],
      ['/v1/images/generations/e1', undefined, 'bob-key', 400, 1201],
      ['/v1/images/generations', body, 'nobody', 401, 1002],
      ['/v1/images/generations', body, 'bob-key', 403, 1103],
      ['/v1/images/generations', { prompt: '' }, 'alice-key', 400, 1201],
      ['/v1/videos/text2video', { prompt: 'x', model_name: 'kling-v2-6', duration: '7' }, 'alice-key', 400, 1201],
      ['/tasks', undefined, 'alice-key', 400, 1201],
      ['/account/costs?start_time=0&end_time=1', undefined, 'carol-key', 403, 1103],
    ] as const) {
      expect(await call(path, sent, key), `${path} ${key}`).toMatchObject({
        status,
        body: { code, request_id: expect.any(String) },
      });
    }
  });

  it('lists in pages', async () => {
    const { call } = await start();
    for (const id of ['a', 'b', 'c']) await call('/v1/images/generations', { prompt: id, external_task_id: id });
    const first = await call('/tasks', { limit: 2 });
    expect(first.body.data).toMatchObject({ count: 2, has_more: true });
    const rest = await call('/tasks', { limit: 2, cursor: first.body.data.next_cursor });
    expect(rest.body.data.result).toMatchObject([{ external_id: 'a' }]);
    expect(rest.body.data.has_more).toBe(false);
    const page = await call('/v1/images/generations?pageNum=2&pageSize=2');
    expect(page.body.data).toMatchObject([{ task_info: { external_task_id: 'a' } }]);
    expect((await call('/solutions', {})).body.data.count).toBe(0);
  });

  it('lists what its filters let through, and refuses those that Kling does not know', async () => {
    const { call } = await start();
    const made = await call('/v1/images/generations', { prompt: 'x' });
    await call(`/api/tasks/${made.body.data.task_id}/wait`, {});
    const count = async (...filters: { key: string; values: string[] }[]) =>
      (await call('/tasks', { filters })).body.data.count;
    expect(await count({ key: 'status', values: ['failed', 'succeed'] })).toBe(1);
    expect(await count({ key: 'status', values: ['submitted', 'processing', 'failed'] })).toBe(0);
    expect(await count({ key: 'product_type', values: ['image'] })).toBe(1);
    expect(await count({ key: 'product_type', values: ['video', 'try_on'] })).toBe(0);
    expect(await count({ key: 'status', values: ['succeed'] }, { key: 'status', values: ['failed'] })).toBe(0);
    expect(await count({ key: 'product_type', values: ['video'] }, { key: 'product_type', values: ['image'] })).toBe(0);
    for (const filters of [
      [{ key: 'status', values: ['constructor'] }],
      [{ key: 'constructor', values: [] }],
      [{ key: 'status', values: Array.from({ length: 21 }, () => 'failed') }],
      Array.from({ length: 21 }, () => ({ key: 'status', values: ['failed'] })),
    ]) {
      expect(await call('/tasks', { filters })).toMatchObject({ status: 400, body: { code: 1201 } });
    }
  });
});

describe('elements and voices, which all callers keep in one account', () => {
  const asKling = async (url: string, path: string, body: unknown) => {
    const headers = { authorization: 'Bearer upstream-secret', 'content-type': 'application/json' };
    const reply = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return JSON.parse(await reply.text()).data;
  };

  it.each([
    ['element', '/v1/general/advanced-custom-elements', '/v1/general/delete-advanced-elements', 'element_id'],
    ['voice', '/v1/general/custom-voices', '/v1/general/delete-voices', 'voice_id'],
  ] as const)(
    'an %s of another caller is neither seen nor deleted, one made at Kling is seen',
    async (kind, path, remove, field) => {
      const { call, sandbox } = await start();
      const outside = (await asKling(sandbox.url, path, EXAMPLES[kind])).task_id;
      const mine = (await call(path, EXAMPLES[kind], 'erin-key')).body.data.task_id;
      const others = (await call(path, EXAMPLES[kind], 'dave-key')).body.data.task_id;
      for (const [id, key] of [
        [mine, 'erin-key'],
        [others, 'dave-key'],
      ]) {
        await call(`/api/tasks/${id}/wait`, {}, key);
      }
      const seen = async (key: string, query = '') =>
        (await call(`${path}${query}`, undefined, key)).body.data.map((task: { task_id: string }) => task.task_id);
      expect(await seen('erin-key')).toEqual([mine, outside]);
      expect(await seen('dave-key')).toEqual([others, outside]);
      expect(await seen('erin-key', '?pageNum=2&pageSize=1')).toEqual([outside]);
      expect((await call(`${path}/${outside}`, undefined, 'erin-key')).body.data).toMatchObject({ task_id: outside });
      expect(await call(`${path}/${others}`, undefined, 'erin-key')).toMatchObject({
        status: 400,
        body: { code: 1201 },
      });

      const thingOf = async (id: string, key: string): Promise<string> =>
        (await call(`${path}/${id}`, undefined, key)).body.data.task_result[`${kind}s`][0][field];
      const own = await thingOf(mine, 'erin-key');
      const foreign = await thingOf(others, 'dave-key');
      for (const id of [foreign, 'none']) {
        expect(await call(remove, { [field]: id }, 'erin-key')).toMatchObject({ status: 403, body: { code: 1103 } });
        expect(await call(`/api/${kind}s/delete`, { [field]: id }, 'erin-key')).toMatchObject({ status: 403 });
      }
      expect(await call(remove, { [field]: own }, 'erin-key')).toMatchObject({ status: 200, body: { code: 0 } });
      expect(await call(remove, { [field]: foreign }, 'alice-key')).toMatchObject({ status: 200, body: { code: 0 } });
    },
  );

  it('the costs of the account are told to those alone whose file says so', async () => {
    const { call } = await start();
    const costs = '/api/account/costs?start_time=0&end_time=1';
    expect(await call(costs, undefined, 'erin-key')).toMatchObject({
      status: 403,
      body: { code: 'scope_missing', detail: expect.stringContaining('scopes') },
    });
    expect(await call(costs)).toMatchObject({ status: 200 });
  });
});

describe('the list of tasks', () => {
  it('goes by cursor and filters, and shows nobody the tasks of others', async () => {
    const { call } = await start();
    const made: string[] = [];
    for (const prompt of ['1', '2', '3']) made.unshift(taskReplySchema.parse((await call(images, { prompt })).body).id);
    await call('/api/videos/text-to-video', { prompt: 'x' });
    const first = await call('/api/tasks?kind=text-to-image&limit=2');
    // The next page is the same whatever was made meanwhile.
    await call(images, { prompt: '4' });
    const second = await call(`/api/tasks?kind=text-to-image&limit=2&cursor=${first.body.nextCursor}`);
    const seen = [...first.body.tasks, ...second.body.tasks].map(({ id }: { id: string }) => id);
    expect(seen).toEqual(made);
    expect(second.body.nextCursor).toBeUndefined();
    expect((await call('/api/tasks', undefined, 'carol-key')).body.tasks).toEqual([]);
    expect((await call('/api/tasks?status=failed')).body.tasks).toEqual([]);
    for (const wrong of ['cursor=x', 'status=done', 'limit=0', 'since=yesterday']) {
      expect(await call(`/api/tasks?${wrong}`), wrong).toMatchObject({
        status: 400,
        body: { code: 'invalid_request' },
      });
    }
  });
});

describe('before anything is paid', () => {
  it('an impossible request is refused with the field and a way out', async () => {
    const { call, charges } = await start();
    const request = { prompt: 'x', model_name: 'kling-v2-6', duration: '7' };
    const refused = await call('/api/videos/text-to-video', request);
    expect(refused).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'duration', problem: expect.any(String), hint: expect.stringContaining('5, 10') }] },
    });
    expect(await call('/api/estimate', { kind: 'text-to-video', request })).toMatchObject({
      status: 200,
      body: { possible: false, errors: [{ field: 'duration' }], estimate: { units: 2.1 } },
    });
    expect(await charges()).toMatchObject({ tasks: 0 });
  });

  it('models are told, and usage afterwards', async () => {
    const { call } = await start();
    const { kinds } = (await call('/api/models')).body;
    expect(kinds.map(({ kind }: { kind: string }) => kind)).toEqual(KINDS);
    const { id } = taskReplySchema.parse((await call(images, { prompt: 'x', n: 2 })).body);
    await call(`/api/tasks/${id}/wait`, {});
    expect((await call('/api/usage')).body.usage).toEqual([
      {
        ...{ kind: 'text-to-image', model: 'kling-v3', tasks: 1, succeeded: 1, failed: 0 },
        ...{ units: 16, expectedUnits: 0, pack: 'image', usd: 0.056 },
      },
    ]);
    expect((await call('/api/usage', undefined, 'carol-key')).body.usage).toEqual([]);
  });

  it('the usage of all callers is told to the account and to an assertion for it, and to nobody else', async () => {
    const { call, sandbox } = await start();
    const asserted = (scopes: Scope[]) =>
      signAssertion({ subject: 'system:usage', audience: 'api', scopes }, INTERNAL_KEY);
    const made = async (key: string) => {
      const { id } = (await call(images, { prompt: 'x' }, key)).body;
      return (await call(`/api/tasks/${id}/wait`, {}, key)).body;
    };
    await made('erin-key');
    await fetch(`${sandbox.url}/sandbox/faults`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ match: { kind: 'text-to-image' }, fault: 'task-fails' }),
    });
    const { error } = await made(await asserted(['read', 'create']));
    const all = '/api/usage/callers';
    for (const key of ['alice-key', await asserted(['usage'])]) {
      expect(await call(all, undefined, key)).toMatchObject({
        status: 200,
        body: {
          usage: [
            { caller: 'erin', units: 8, usd: 0.028 },
            { caller: 'system:usage', failed: 1 },
          ],
          failures: [{ caller: 'system:usage', tasks: 1, ...error }],
          more: false,
        },
      });
    }
    expect(await call(`${all}?limit=1`)).toMatchObject({ body: { usage: [{}], more: true } });
    for (const key of ['erin-key', 'bob-key', await asserted(['read', 'create'])])
      expect(await call(all, undefined, key)).toMatchObject({ status: 403, body: { code: 'scope_missing' } });
    expect((await call('/api/usage', undefined, await asserted(['usage']))).status).toBe(403);
    const wide = `${all}?since=2026-01-01T00:00:00Z&until=2026-03-01T00:00:00Z`;
    expect(await call(wide)).toMatchObject({ status: 400, body: { errors: [{ field: 'since' }] } });
  });
});

it('models are the same for everybody, and told once to whoever keeps them', async () => {
  const { api } = await start();
  const ask = (headers: Record<string, string>) => fetch(`${api.url}/api/models`, { headers });
  const [alice, bob] = [{ authorization: 'Bearer alice-key' }, { authorization: 'Bearer bob-key' }];
  const first = await ask(alice);
  const etag = first.headers.get('etag') ?? '';
  expect(etag).toMatch(/^"[\w-]{22}"$/);
  expect(first.headers.get('cache-control')).toBe('private, max-age=300');
  expect(first.headers.get('vary')).toBe('Authorization, Origin');
  const again = await ask({ ...bob, 'if-none-match': etag });
  expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, '']);
  expect(again.headers.get('cache-control')).toBe('private, max-age=300');
  const other = await ask({ ...bob, 'if-none-match': '"another"' });
  expect([other.status, await other.json()]).toEqual([200, await first.json()]);
  expect((await ask({ 'if-none-match': etag })).status).toBe(401);
});

describe('a caller with limits', () => {
  it('makes no more tasks a minute than it may, whatever comes at once', async () => {
    const { call, charges } = await start();
    const all = await Promise.all([1, 2, 3, 4].map((n) => call(images, { prompt: `${n}` }, 'carol-key')));
    const refused = all.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(2);
    expect(refused[0]?.body).toMatchObject({ code: 'rate_limited' });
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await charges()).toMatchObject({ tasks: 2 });
  });

  it('spends no more than it may, by the estimate before and the cost after', async () => {
    const { call } = await start();
    expect((await call(images, { prompt: 'x', n: 2 }, 'dave-key')).status).toBe(202);
    expect(await call(images, { prompt: 'y' }, 'dave-key')).toMatchObject({
      status: 429,
      body: { code: 'spend_limited' },
    });
    const small = { prompt: 'z', model_name: 'kling-v2-1' };
    expect((await call(images, small, 'dave-key')).status).toBe(202);
  });

  it.each([
    ['/api/videos/text-to-video', { prompt: 'x', model_name: 'kling-v1-6', duration: '10' }, 30],
    ['/api/videos/avatar', EXAMPLES.avatar, 120],
    ['/solutions/drama_subtitle', EXAMPLES['solution-subtitle'], 240],
  ])('spends nothing at %s whose cost is not known and may be too much', async (path, body, units) => {
    const { call, charges } = await start();
    const refused = await call(path, body, 'dave-key');
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([
      429,
      expect.stringContaining(`counts for ${units},`),
    ]);
    expect(await charges()).toMatchObject({ tasks: 0 });
  });

  it('that may only read makes nothing', async () => {
    const { call } = await start();
    expect(await call(images, { prompt: 'x' }, 'bob-key')).toMatchObject({ status: 403 });
    expect(await call('/api/account/costs?start_time=0&end_time=1', undefined, 'bob-key')).toMatchObject({
      status: 403,
    });
    expect(await call('/api/account/costs?start_time=0&end_time=1')).toMatchObject({ status: 200 });
  });
});
