import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  createKlingClient,
  ENDPOINTS,
  EXAMPLES,
  KINDS,
  KlingError,
  OPERATION_EXAMPLES,
  OPERATIONS,
  type OperationName,
  REQUESTS,
} from '@klingapi/kling';
import { PNG } from 'pngjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { drawPicture, type Fault, pictureSize, type Sandbox, type SandboxOptions, startSandbox } from './index.ts';

// Other work on the machine may slow this down; nothing here waits for a fixed time.
vi.setConfig({ testTimeout: 30_000 });

/** Loose on purpose: the tests say what they expect of it. */
const anyReply = z.looseObject({
  data: z
    .looseObject({
      task_id: z.string().optional(),
      task_status: z.string().optional(),
      task_result: z
        .object({
          images: z.array(z.object({ url: z.string() })).default([]),
          videos: z.array(z.object({ url: z.string(), duration: z.string() })).default([]),
        })
        .optional(),
    })
    .or(z.array(z.unknown()).transform((tasks) => ({ tasks, task_id: '', task_status: '', task_result: undefined })))
    .default({}),
});

let open: Sandbox[] = [];
afterEach(async () => {
  for (const sandbox of open) await sandbox.close();
  open = [];
});

async function sandboxWith(options: Partial<SandboxOptions> = {}) {
  let now = 1_790_000_000_000;
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, now: () => now, ...options });
  open.push(sandbox);
  const call = async (path: string, init: { body?: unknown; key?: string; headers?: Record<string, string> } = {}) => {
    const reply = await fetch(sandbox.url + path, {
      method: init.body === undefined ? 'GET' : 'POST',
      headers: {
        ...(init.key === '' ? {} : { authorization: `Bearer ${init.key ?? 'any-key'}` }),
        ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...init.headers,
      },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    });
    return { status: reply.status, body: anyReply.parse(await reply.json()) };
  };
  const charges = async () => (await call('/sandbox/charges')).body;
  return { sandbox, call, charges, pass: (ms: number) => (now += ms) };
}

const images = '/v1/images/generations';

describe('the sandbox', () => {
  it('keeps tasks, not the pictures that came with them', { timeout: 30_000 }, async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const { call } = await sandboxWith();
    const used = () => {
      collect();
      return process.memoryUsage().heapUsed / 1e6;
    };
    const before = used();
    for (let at = 0; at < 5; at += 1) {
      const image = Buffer.concat([drawPicture('x', '16:9', 0), Buffer.alloc(9_000_000, at)]).toString('base64');
      expect((await call('/v1/videos/image2video', { body: { image } })).status).toBe(200);
    }
    expect(used() - before).toBeLessThan(30);
  });

  it('takes a task through its life and gives pictures that decode', async () => {
    const { call, pass } = await sandboxWith({ taskSeconds: 2 });
    const made = await call(images, { body: { prompt: 'a fox', aspect_ratio: '9:16', n: 2, external_task_id: 'e1' } });
    expect(made).toMatchObject({
      status: 200,
      body: { code: 0, data: { task_status: 'submitted', task_info: { external_task_id: 'e1' } } },
    });
    const id = made.body.data.task_id;
    pass(1000);
    expect((await call(`${images}/${id}`)).body.data.task_status).toBe('processing');
    pass(1000);
    const ended = (await call(`${images}/e1`)).body.data;
    expect(ended).toMatchObject({ task_id: id, task_status: 'succeed', final_unit_deduction: '16' });
    const [width, height] = pictureSize('9:16');
    const pictures = await Promise.all(
      ended.task_result!.images.map(async (image) => {
        const reply = await fetch(image.url);
        expect(reply.headers.get('content-type')).toBe('image/png');
        const bytes = Buffer.from(await reply.arrayBuffer());
        expect(PNG.sync.read(bytes)).toMatchObject({ width, height });
        return createHash('sha256').update(bytes).digest('hex');
      }),
    );
    expect(new Set(pictures).size).toBe(2);
    expect((await call(`${images}?pageSize=1`)).body.data).toMatchObject({ tasks: [{ task_id: id }] });
  });

  it('gives result URLs on the host that the client asked', async () => {
    const { call, pass, sandbox } = await sandboxWith();
    const id = (await call(images, { body: { prompt: 'x' } })).body.data.task_id;
    pass(5000);
    const through = `http://localhost:${sandbox.port}`;
    const reply = await fetch(`${through}${images}/${id}`, { headers: { authorization: 'Bearer any-key' } });
    const { data } = (await reply.json()) as { data: { task_result: { images: [{ url: string }] } } };
    expect(data.task_result.images[0].url).toBe(`${through}/results/${id}/0.png`);
  });

  it('gives videos as MP4', async () => {
    const { call, pass } = await sandboxWith();
    const id = (await call('/v1/videos/text2video', { body: { prompt: 'x', duration: '10' } })).body.data.task_id;
    pass(2000);
    expect((await call(`/v1/videos/text2video/${id}`)).body.data.task_status).toBe('processing');
    pass(2000);
    const { task_result: result } = (await call(`/v1/videos/text2video/${id}`)).body.data;
    expect(result!.videos[0]!.duration).toBe('10');
    const video = Buffer.from(await (await fetch(result!.videos[0]!.url)).arrayBuffer());
    expect(video.subarray(4, 8).toString()).toBe('ftyp');
    expect(video.includes('avc1') && video.includes('moov') && video.includes('mdat')).toBe(true);
  });

  it('refuses as Kling does: keys, fields, paths, duplicates, strangers', async () => {
    const { call, charges } = await sandboxWith();
    expect(await call(images, { key: '', body: { prompt: 'x' } })).toMatchObject({ status: 401, body: { code: 1001 } });
    expect(await call(images, { key: 'bad-key', body: {} })).toMatchObject({ status: 401, body: { code: 1002 } });
    expect(await call(images, { key: 'fault-1102', body: { prompt: 'x' } })).toMatchObject({
      status: 429,
      body: { code: 1102 },
    });
    expect(await call(images, { body: {} })).toMatchObject({ status: 400, body: { code: 1201 } });
    expect(await call(images, { body: { prompt: 'x', n: 10 } })).toMatchObject({ status: 400, body: { code: 1201 } });
    expect(await call(`${images}/nothing`)).toMatchObject({
      status: 400,
      body: { code: 1201, message: 'Task not found by id/external id' },
    });
    expect(await call('/v1/other')).toMatchObject({ status: 404, body: { code: 1202 } });
    expect(await call(images, { body: { prompt: 'x', external_task_id: 'e' } })).toMatchObject({ status: 200 });
    expect(await call(images, { body: { prompt: 'y', external_task_id: 'e' } })).toMatchObject({
      status: 400,
      body: { code: 1201, message: expect.stringContaining('already exists') },
    });
    expect((await call(`${images}/e`, { key: 'another-account' })).status).toBe(400);
    expect(await charges()).toMatchObject({ tasks: 1, units: 8 });
  });
});

const isOperation = (name: string): name is OperationName => name in OPERATIONS;
const operations = Object.keys(OPERATIONS).filter(isOperation);

describe('the Kling client against the sandbox', () => {
  it('makes every kind of task with default arguments and sees it succeed', async () => {
    const { sandbox, pass, charges } = await sandboxWith();
    const client = createKlingClient({ baseUrl: sandbox.url, credentials: { apiKey: 'k' } });
    for (const kind of KINDS) {
      const made = await client.create(kind, REQUESTS[kind].parse(EXAMPLES[kind]), `e-${kind}`);
      pass(10_000);
      const [byOwn, byTheirs] = await Promise.all([client.find(kind, made.id), client.find(kind, `e-${kind}`)]);
      expect(byOwn).toMatchObject({ id: made.id, externalId: `e-${kind}`, status: 'succeeded' });
      expect(byTheirs).toEqual(byOwn);
      const result = byOwn![ENDPOINTS[kind].result];
      expect(result, kind).toHaveLength(kind === 'multi-shot-image' ? 9 : 1);
    }
    expect(await charges()).toMatchObject({ tasks: KINDS.length });
    const legacy = await client.findMany([{ kind: 'avatar', id: (await client.find('avatar', 'e-avatar'))!.id }]);
    expect([...legacy.values()]).toMatchObject([{ externalId: 'e-avatar' }]);
  });

  it('signs tokens for the legacy family, which the newer ones do not take', async () => {
    const { sandbox } = await sandboxWith();
    const client = createKlingClient({ baseUrl: sandbox.url, credentials: { accessKey: 'ak', secretKey: 'sk' } });
    const image = REQUESTS['text-to-image'].parse(EXAMPLES['text-to-image']);
    expect(await client.create('text-to-image', image, 'e1')).toMatchObject({ externalId: 'e1' });
    const video = REQUESTS['new-text-to-video'].parse(EXAMPLES['new-text-to-video']);
    const refused = client.create('new-text-to-video', video, 'e2');
    await expect(refused).rejects.toMatchObject({ kind: 'key_invalid', code: 1002 });
  });

  it('answers what makes no task', async () => {
    const { sandbox } = await sandboxWith();
    const client = createKlingClient({ baseUrl: sandbox.url, credentials: { apiKey: 'k' } });
    for (const name of operations) {
      expect(await client.call(name, OPERATION_EXAMPLES[name]), name).toEqual(expect.anything());
    }
  });

  it('never sends a call twice that may cost money', async () => {
    let calls = 0;
    const { sandbox } = await sandboxWith({
      fault: () => {
        calls += 1;
        return '5000';
      },
    });
    const client = createKlingClient({
      ...{ baseUrl: sandbox.url, credentials: { apiKey: 'k' }, sleep: async () => {} },
    });
    const failure = await client
      .call('text-to-speech', OPERATION_EXAMPLES['text-to-speech'])
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ outcomeUnknown: true });
    expect(calls).toBe(1);
    await client.call('preset-voices', {}).catch(() => {});
    expect(calls).toBe(5);
  });

  it.each(['after-create-reset', 'after-create-5000', 'timeout', '5000', 'html'] as const)(
    'pays once when the create ends in %s',
    async (fault) => {
      let left: Fault | undefined = fault;
      const { sandbox, charges } = await sandboxWith({
        fault: (method) => {
          if (method !== 'POST') return undefined;
          const now = left;
          left = undefined;
          return now;
        },
      });
      const client = createKlingClient({
        baseUrl: sandbox.url,
        credentials: { apiKey: 'k' },
        timeoutMs: 300,
        sleep: async () => {},
      });
      const made = await client.create('text-to-image', REQUESTS['text-to-image'].parse({ prompt: 'x' }), 'e1');
      expect(made.externalId).toBe('e1');
      expect(await charges()).toMatchObject({ tasks: 1, charges: [{ task_id: made.id }] });
    },
  );

  it('tells a bad key in its own words, without the key', async () => {
    const { sandbox } = await sandboxWith();
    const client = createKlingClient({ baseUrl: sandbox.url, credentials: { apiKey: 'bad-key' } });
    const failure = await client.find('text-to-image', 'x').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(KlingError);
    expect(failure).toMatchObject({ kind: 'key_invalid', code: 1002 });
    expect(String(failure)).not.toContain('bad-key');
  });
});

describe('many tasks at once', () => {
  it('are told by GET /tasks, 20 at most, only to their account', async () => {
    const { sandbox, call, pass } = await sandboxWith();
    const made: string[] = [];
    for (const path of [images, '/v1/videos/text2video']) {
      const { body } = await call(path, { body: { prompt: 'x', external_task_id: `e${made.length}` } });
      made.push(body.data.task_id ?? '');
    }
    pass(10_000);
    const ask = async (query: string, key = 'any-key') =>
      await (await fetch(`${sandbox.url}/tasks?${query}`, { headers: { authorization: `Bearer ${key}` } })).json();
    const outputs = [{ url: expect.stringMatching(/\.png$/) }];
    const videos = [{ url: expect.stringMatching(/\.mp4$/), duration: '5' }];
    expect(await ask(`task_ids=${made.join(',')},unknown`)).toMatchObject({
      code: 0,
      data: [
        {
          id: made[0],
          external_id: 'e0',
          status: 'succeeded',
          outputs,
          billing: [{ charge_type: 'unit', amount: '8' }],
        },
        { id: made[1], external_id: 'e1', status: 'succeeded', outputs: videos },
      ],
    });
    expect(await ask('external_task_ids=e1')).toMatchObject({ data: [{ id: made[1] }] });
    expect(await ask(`task_ids=${made[0]}`, 'other-key')).toMatchObject({ code: 0, data: [] });
    const many = Array.from({ length: 21 }, (_, at) => `t${at}`).join(',');
    for (const query of ['', `task_ids=${many}`, 'task_ids=a&external_task_ids=b']) {
      expect(await ask(query)).toMatchObject({ code: 1201 });
    }
  });

  it('are refused above the limit of their model, and not charged', async () => {
    const { call, charges, pass } = await sandboxWith({ concurrency: 3 });
    const create = (model_name: string, n: number) => call(images, { body: { prompt: 'x', model_name, n } });
    expect((await create('kling-v3', 2)).status).toBe(200);
    expect((await create('kling-v3', 2)).status).toBe(429);
    expect((await create('kling-v2-1', 2)).status).toBe(200);
    pass(10_000);
    expect((await create('kling-v3', 9)).status).toBe(200);
    expect(await charges()).toMatchObject({ tasks: 3, most: 9, busy: 1 });
  });
});
