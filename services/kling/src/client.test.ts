import { createServer, type IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  createKlingClient,
  createTokenSource,
  KLING_CODES,
  type KlingClientOptions,
  KlingError,
  REQUESTS,
} from './index.ts';

// Other work on the machine may slow this down; nothing here waits for a fixed time.
vi.setConfig({ testTimeout: 30_000 });

type Reply = { status: number; body: unknown } | 'reset' | 'silence' | 'endless';
interface Call {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly authorization: string;
  readonly body: Record<string, unknown>;
}

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** A Kling that answers what the script says, and a client of it whose sleeps are written down instead of slept. */
async function scripted(
  script: (call: Call, number: number) => Reply,
  options: Partial<KlingClientOptions> = {},
): Promise<{ client: ReturnType<typeof createKlingClient>; calls: Call[]; slept: number[] }> {
  const calls: Call[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const call = {
      method: request.method ?? '',
      path: request.url ?? '',
      host: request.headers.host ?? '',
      authorization: request.headers.authorization ?? '',
      body: text === '' ? {} : JSON.parse(text),
    };
    calls.push(call);
    const reply = script(call, calls.length);
    if (reply === 'silence') return;
    if (reply === 'reset') {
      request.socket.destroy();
      return;
    }
    if (reply === 'endless') {
      response.writeHead(200).write('{"code":');
      return;
    }
    response.writeHead(reply.status, { 'content-type': 'application/json' });
    response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const slept: number[] = [];
  const client = createKlingClient({
    baseUrl: `http://127.0.0.1:${address.port}`,
    credentials: { apiKey: 'a-key' },
    random: () => 0,
    sleep: async (ms) => void slept.push(ms),
    ...options,
  });
  return { client, calls, slept };
}

const task = (id: string, status = 'submitted'): Reply => ({
  status: 200,
  body: { code: 0, message: 'SUCCEED', request_id: 'r', data: { task_id: id, task_status: status } },
});
const failure = (status: number, code: number, message = 'vendor text'): Reply => ({
  status,
  body: { code, message, request_id: 'r-1' },
});
const notFound = failure(400, 1201, 'Task not found by id/external id');
const picture = REQUESTS['text-to-image'].parse({ prompt: 'a fox' });
const posts = (calls: readonly Call[]) => calls.filter((call) => call.method === 'POST').length;

describe('a create', () => {
  it('sends the external id and the defaults', async () => {
    const { client, calls } = await scripted(() => task('t1'));
    expect(await client.create('text-to-image', picture, 'ext-1')).toMatchObject({ id: 't1', status: 'submitted' });
    expect(calls).toEqual([
      {
        method: 'POST',
        path: '/v1/images/generations',
        host: expect.any(String),
        authorization: 'Bearer a-key',
        body: { prompt: 'a fox', model_name: 'kling-v3', aspect_ratio: '16:9', n: 1, external_task_id: 'ext-1' },
      },
    ]);
  });

  it('goes below the path of the base URL', async () => {
    const { calls, client } = await scripted(() => task('t1'), {});
    await client.create('text-to-image', picture, 'e');
    const { origin } = new URL(`http://${calls[0]?.host}`);
    const relayed = createKlingClient({ baseUrl: `${origin}/kling/`, credentials: { apiKey: 'k' } });
    await relayed.find('text-to-image', 't1');
    expect(calls[1]?.path).toBe('/kling/v1/images/generations/t1');
  });

  it.each([
    ['a reset', 'reset' as const],
    ['5000', failure(500, 5000)],
    ['5001', failure(503, 5001)],
    ['5002', failure(504, 5002)],
    ['a gateway page', { status: 502, body: '<html>' }],
    ['an unreadable task', { status: 200, body: { code: 0, message: '', data: { nothing: true } } }],
  ])('adopts the task that exists after %s, and sends nothing again', async (_name, broken) => {
    const { client, calls } = await scripted((call) => (call.method === 'POST' ? broken : task('made', 'processing')));
    expect(await client.create('text-to-image', picture, 'ext-1')).toMatchObject({ id: 'made', status: 'processing' });
    expect(posts(calls)).toBe(1);
    expect(calls.at(-1)).toMatchObject({ method: 'GET', path: '/v1/images/generations/ext-1' });
  });

  it('is sent again with the same external id only after the look-up said that there is none', async () => {
    const { client, calls } = await scripted((call, number) => {
      if (call.method === 'GET') return notFound;
      return number === 1 ? failure(500, 5000) : task('second');
    });
    expect(await client.create('text-to-image', picture, 'ext-1')).toMatchObject({ id: 'second' });
    expect(calls.map((call) => call.method)).toEqual(['POST', 'GET', 'POST']);
    expect(calls[2]?.body['external_task_id']).toBe('ext-1');
  });

  it('is told as of unknown outcome when the look-up fails too', async () => {
    const { client, calls } = await scripted(() => failure(500, 5000), { attempts: 3 });
    await expect(client.create('text-to-image', picture, 'ext-1')).rejects.toMatchObject({
      kind: 'unavailable',
      code: 5000,
      outcomeUnknown: true,
    });
    expect(posts(calls)).toBe(1);
  });

  it('adopts what a duplicate external id names', async () => {
    const { client } = await scripted((call) =>
      call.method === 'POST' ? failure(400, 1201, 'external_task_id ext-1 already exists') : task('older'),
    );
    expect(await client.create('text-to-image', picture, 'ext-1')).toMatchObject({ id: 'older' });
  });

  it('waits for the look-up of what Kling calls a duplicate, and never tells it as a refusal', async () => {
    const exists = failure(400, 1201, 'external_task_id ext-1 already exists');
    const { client, calls } = await scripted((call) =>
      call.method === 'POST' ? exists : calls.length < 6 ? notFound : task('shown-late'),
    );
    expect(await client.create('text-to-image', picture, 'ext-1')).toMatchObject({ id: 'shown-late' });

    const never = await scripted((call) => (call.method === 'POST' ? exists : notFound));
    await expect(never.client.create('text-to-image', picture, 'ext-1')).rejects.toMatchObject({
      outcomeUnknown: true,
    });
  });

  it('signs anew after a refused token even where no call is made twice', async () => {
    let now = Date.now();
    const { client, calls } = await scripted((_call, number) => (number === 1 ? failure(401, 1004) : task('t1')), {
      credentials: { accessKey: 'a', secretKey: 'b' },
      attempts: 1,
      now: () => now,
    });
    await expect(client.find('text-to-image', 't1')).rejects.toMatchObject({ code: 1004 });
    // Two tokens of the same second are equal.
    now += 1000;
    expect(await client.find('text-to-image', 't1')).toMatchObject({ id: 't1' });
    expect(calls[0]?.authorization).not.toBe(calls[1]?.authorization);
  });

  it('takes a task whose other fields are null', async () => {
    const data = {
      task_id: 't1',
      task_status: 'submitted',
      task_status_msg: null,
      task_info: { external_task_id: null },
      created_at: null,
      task_result: { images: null },
      final_unit_deduction: null,
    };
    const { client } = await scripted(() => ({
      status: 200,
      body: { code: 0, message: null, request_id: null, data },
    }));
    expect(await client.create('text-to-image', picture, 'ext-1')).toMatchObject({
      id: 't1',
      images: [],
      units: undefined,
    });
  });

  it('waits and tries again when no task was made: too fast, too many at once, nobody there', async () => {
    const { client, calls, slept } = await scripted((_call, number) =>
      number === 1 ? failure(429, 1302) : number === 2 ? failure(429, 1303) : task('t1'),
    );
    expect(await client.create('text-to-image', picture, 'ext-1')).toMatchObject({ id: 't1' });
    expect(posts(calls)).toBe(3);
    expect(slept).toEqual([500, 1000]);

    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    const nobody = await scripted(() => task('x'), { baseUrl: `http://127.0.0.1:${port}`, attempts: 3 });
    await expect(nobody.client.create('text-to-image', picture, 'e')).rejects.toMatchObject({
      kind: 'network',
      outcomeUnknown: false,
      retryable: true,
      message: 'the connection to Kling failed (ECONNREFUSED)',
    });
    expect(nobody.slept.length).toBe(2);
  });

  it.each([1000, 1002, 1100, 1101, 1102, 1103, 1200, 1201, 1203, 1300, 1301, 1304])(
    'is sent once when Kling refuses it for good (%i), whatever the HTTP status',
    async (code) => {
      for (const status of [200, 400, 429]) {
        const { client, calls } = await scripted(() => failure(status, code));
        await expect(client.create('text-to-image', picture, 'e')).rejects.toMatchObject({
          name: 'KlingError',
          code,
          httpStatus: status,
          requestId: 'r-1',
          retryable: false,
          outcomeUnknown: false,
        });
        expect(calls.length).toBe(1);
      }
    },
  );

  it('never reaches a second POST without a look-up that found nothing, whatever Kling does', async () => {
    const anything = fc.constantFrom<Reply>('reset', failure(500, 5000), failure(504, 5002), notFound, task('t'), {
      status: 502,
      body: 'x',
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anything, { minLength: 1, maxLength: 10 }), async (replies) => {
        const given: { method: string; reply: Reply }[] = [];
        const { client } = await scripted((call, number) => {
          const reply = replies[(number - 1) % replies.length] ?? notFound;
          given.push({ method: call.method, reply });
          return reply;
        });
        await client.create('text-to-image', picture, 'e').catch(() => {});
        given.forEach((step, at) => {
          if (at > 0 && step.method === 'POST') expect(given[at - 1]).toEqual({ method: 'GET', reply: notFound });
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe('a read', () => {
  it('is retried with growing delays and gives up in the end', async () => {
    const { client, calls, slept } = await scripted(() => failure(500, 5000), { attempts: 6, random: () => 0.999999 });
    await expect(client.find('text-to-video', 'id')).rejects.toMatchObject({ code: 5000 });
    expect(calls.length).toBe(6);
    expect(slept.map(Math.round)).toEqual([1000, 2000, 4000, 8000, 16000]);
  });

  it('gives undefined for a task that Kling does not have, and both spellings of success as one', async () => {
    const { client, calls } = await scripted(() => notFound);
    expect(await client.find('virtual-try-on', 'a/b')).toBeUndefined();
    expect(calls[0]?.path).toBe('/v1/images/kolors-virtual-try-on/a%2Fb');
    for (const spelling of ['succeed', 'succeeded']) {
      const { client: other } = await scripted(() => task('t', spelling));
      expect(await other.find('text-to-image', 't')).toMatchObject({ status: 'succeeded' });
    }
  });

  it('ends within its time when Kling never answers', async () => {
    const { client, calls } = await scripted(() => 'silence', { timeoutMs: 20, attempts: 2 });
    await expect(client.find('text-to-image', 't')).rejects.toMatchObject({ kind: 'timeout', httpStatus: null });
    expect(calls.length).toBe(2);
  });

  it('ends within its time when a reply never ends', async () => {
    const { client } = await scripted(() => 'endless', { timeoutMs: 100, attempts: 1 });
    await expect(client.find('text-to-image', 't')).rejects.toMatchObject({ kind: 'timeout', httpStatus: 200 });
  });

  it('ends when its caller does', async () => {
    const stop = new AbortController();
    const { client } = await scripted(
      () => {
        stop.abort(new Error('no longer needed'));
        return 'silence';
      },
      { attempts: 1 },
    );
    await expect(client.find('text-to-image', 't', stop.signal)).rejects.toMatchObject({ kind: 'network' });
    await expect(client.find('text-to-image', 't', stop.signal)).rejects.toMatchObject({ kind: 'network' });
  });

  it('goes through the proxy of the environment where Node is told to', async () => {
    const seen: string[] = [];
    const proxy = createServer().on('connect', (request, socket) => {
      seen.push(request.url ?? '');
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    servers.push(proxy);
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const address = proxy.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${address.port}`);
    const { client } = await scripted(() => task('t'), { baseUrl: 'https://kling.example', attempts: 1 });
    await expect(client.find('text-to-image', 't')).rejects.toMatchObject({ kind: 'network' });
    expect(seen).toEqual(['kling.example:443']);
  });

  it('does not follow a redirect with the key', async () => {
    const { client, calls } = await scripted(() => ({ status: 302, body: '' }), { attempts: 1 });
    await expect(client.find('text-to-image', 't')).rejects.toMatchObject({ name: 'KlingError' });
    expect(calls.length).toBe(1);
  });
});

describe('many look-ups', () => {
  const tasks = Array.from({ length: 45 }, (_, at) => ({ kind: 'text-to-image' as const, id: `t${at}` }));
  const record = (id: string) => ({
    id,
    status: 'succeeded',
    external_id: `e-${id}`,
    outputs: [{ url: `https://x/${id}.png` }],
    billing: [
      { charge_type: 'unit', amount: '8.5', package_type: 'image' },
      { charge_type: 'cash', amount: '3', list_price: '4' },
    ],
  });
  const batch = (call: Call, without: readonly string[] = []): Reply => {
    const ids = new URL(call.path, 'http://x').searchParams.get('task_ids')?.split(',') ?? [];
    const data = ids.filter((id) => !without.includes(id)).map(record);
    return { status: 200, body: { code: 0, message: '', data } };
  };

  it('go out 20 at a time, and what a batch leaves out is asked for by itself', async () => {
    const { client, calls } = await scripted((call) =>
      call.path.startsWith('/tasks?') ? batch(call, ['t3']) : notFound,
    );
    const answers = await client.findMany(tasks);
    expect([answers.size, answers.has('t3')]).toEqual([44, false]);
    expect(answers.get('t44')).toMatchObject({
      id: 't44',
      externalId: 'e-t44',
      status: 'succeeded',
      images: [{ url: 'https://x/t44.png' }],
      units: '8.5',
    });
    expect(calls.length).toBe(4);
    expect(calls[1]?.path).toBe('/v1/images/generations/t3');
  });

  it.each([
    ['a relay that does not know the call', failure(404, 1202, 'Method not found')],
    ['a relay that answers something else', { status: 200, body: { code: 0, message: '', data: { a: 1 } } }],
  ])('are asked for one by one at %s, for an hour', async (_name, refusal) => {
    let now = 0;
    const answer = (call: Call) =>
      call.path.startsWith('/tasks?') ? refusal : task(call.path.split('/').at(-1) ?? '');
    const { client, calls } = await scripted(answer, { now: () => now });
    expect((await client.findMany(tasks)).size).toBe(45);
    expect(calls.length).toBe(46);
    await client.findMany(tasks.slice(0, 2));
    expect(calls.length).toBe(48);
    now = 3_600_001;
    await client.findMany(tasks.slice(0, 2));
    expect(calls.length).toBe(51);
  });

  it('are never batched with a signed token, which Kling takes for the older family only', async () => {
    const { client, calls, slept } = await scripted((call) => task(call.path.split('/').at(-1) ?? ''), {
      credentials: { accessKey: 'a', secretKey: 'b' },
      now: () => 1_800_000_000_000,
    });
    expect((await client.findMany(tasks)).size).toBe(45);
    expect(calls.every((call) => call.path.startsWith('/v1/'))).toBe(true);
    // 45 by themselves, 20 in a second at most.
    expect(slept.at(-1)).toBeGreaterThanOrEqual(2000);
  });

  it('tell what has not moved without its record, and only where that is known to be so', async () => {
    const states = ['processing', 'processing', 'submitted', 'failed', 'processing'];
    const known = ['processing', 'submitted', 'submitted', 'failed', undefined];
    const { client } = await scripted((call) => {
      const data = tasks.slice(0, 5).map(({ id }, at) => ({ ...record(id), status: states[at] }));
      return call.path.startsWith('/tasks?') ? { status: 200, body: { code: 0, message: '', data } } : notFound;
    });
    const answers = await client.findMany(tasks.slice(0, 5).map((each, at) => ({ ...each, status: known[at] })));
    expect(tasks.slice(0, 5).map(({ id }) => answers.get(id))).toEqual([
      'unchanged',
      expect.objectContaining({ status: 'processing' }),
      'unchanged',
      expect.objectContaining({ status: 'failed' }),
      expect.objectContaining({ status: 'processing' }),
    ]);
  });

  it('tell a failure of each task that it concerns, and no other', async () => {
    const all = await scripted((call) => (call.path.startsWith('/tasks?') ? failure(500, 5000) : task('x')));
    const answers = await all.client.findMany(tasks.slice(0, 2));
    expect([...answers.values()].map((answer) => answer instanceof KlingError)).toEqual([true, true]);
    const one = await scripted(
      (call) =>
        call.path.startsWith('/tasks?')
          ? batch(call, ['t0', 't1'])
          : call.path.endsWith('t0')
            ? failure(403, 1103)
            : task('t1'),
      { attempts: 1 },
    );
    const told = await one.client.findMany(tasks.slice(0, 3));
    expect([told.get('t0'), told.get('t1'), told.get('t2')]).toMatchObject([
      { code: 1103 },
      { id: 't1' },
      { id: 't2' },
    ]);
  });
});

describe('credentials', () => {
  it('sign a token, keep it until its last minute, and sign again', async () => {
    let now = 1_790_000_000_000;
    const tokens = createTokenSource({ accessKey: 'ak', secretKey: 'sk' }, () => now);
    const first = await tokens.token();
    expect(decodeProtectedHeader(first)).toEqual({ alg: 'HS256', typ: 'JWT' });
    expect(decodeJwt(first)).toEqual({ iss: 'ak', nbf: 1_789_999_995, exp: 1_790_001_800 });
    now += 1_740_000;
    expect(await tokens.token()).toBe(first);
    now += 1_000;
    expect(await tokens.token()).not.toBe(first);
  });

  it('are renewed once when Kling says that a token has expired', async () => {
    let now = 1_790_000_000_000;
    const { client, calls } = await scripted(
      (_call, number) => {
        now += 1000;
        return number === 1 ? failure(401, 1004) : task('t');
      },
      { credentials: { accessKey: 'ak', secretKey: 'sk' }, now: () => now },
    );
    expect(await client.create('text-to-image', picture, 'e')).toMatchObject({ id: 't' });
    expect(new Set(calls.map((call) => call.authorization)).size).toBe(2);
    const always = await scripted(() => failure(401, 1004), { credentials: { accessKey: 'ak', secretKey: 'sk' } });
    await expect(always.client.find('text-to-image', 't')).rejects.toMatchObject({ kind: 'key_invalid' });
    expect(always.calls.length).toBe(2);
  });
});

describe('requests', () => {
  it('work with what is required alone, and name the field that is wrong', () => {
    expect(REQUESTS['text-to-video'].parse({ prompt: 'x' })).toEqual({
      prompt: 'x',
      model_name: 'kling-v2-5-turbo',
      mode: 'std',
      aspect_ratio: '16:9',
      duration: '5',
    });
    expect(REQUESTS['image-to-video'].safeParse({ prompt: 'x' }).error?.issues[0]).toMatchObject({ path: ['image'] });
    expect(REQUESTS['text-to-video'].safeParse({ prompt: 'x', cfg_scale: 7.5 }).error?.issues[0]).toMatchObject({
      path: ['cfg_scale'],
      code: 'too_big',
    });
  });

  it('have an entry for each code of the vendor that says what may be done again', () => {
    expect(Object.keys(KLING_CODES).length).toBe(21);
    for (const code of [5000, 5001, 5002]) expect(KLING_CODES[code]?.create).toBe('look-up');
  });
});
