import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Harness, startHarness } from './harness.ts';
import { drawPicture } from './results/picture.ts';
import type { SandboxOptions } from './server.ts';

vi.setConfig({ testTimeout: 30_000 });
const images = '/v1/images/generations';
const open: Harness[] = [];
afterEach(async () => {
  for (const { sandbox } of open.splice(0)) await sandbox.close();
});
async function start(options: Partial<SandboxOptions> = {}): Promise<Harness> {
  const harness = await startHarness(options);
  open.push(harness);
  return harness;
}
const refused = (text: string) => ({ status: 400, body: { code: 1201, message: expect.stringContaining(text) } });

describe('signed tokens', () => {
  const sign = async (claims: { iss?: string; exp?: number; nbf?: number }, secret = 'the-secret') => {
    const seconds = Math.floor(Date.now() / 1000);
    const { iss = 'the-access-key', exp = 1800, nbf = -5 } = claims;
    return await new SignJWT({ iss, exp: seconds + exp, nbf: seconds + nbf })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(new TextEncoder().encode(secret));
  };

  it('are held to their key and times, on the legacy family alone', async () => {
    const { call } = await start({ signing: { accessKey: 'the-access-key', secretKey: 'the-secret' } });
    const code = async (key: string, path = images) => (await call(path, { key, body: { prompt: 'x' } })).body['code'];
    expect(await code(await sign({}))).toBe(0);
    expect(await code(await sign({ exp: -60 }))).toBe(1004);
    expect(await code(await sign({ nbf: 600 }))).toBe(1003);
    expect(await code(await sign({ iss: 'another' }))).toBe(1002);
    expect(await code(await sign({}, 'another secret'))).toBe(1002);
    expect(await code(await sign({}), '/text-to-video/kling-3.0')).toBe(1002);
    expect(await code('an-api-key', '/text-to-video/kling-3.0')).toBe(0);
  });

  it('are one account, however often they are signed', async () => {
    const { call } = await start();
    const made = await call(images, { key: await sign({}), body: { prompt: 'x', external_task_id: 'e' } });
    expect(made.status).toBe(200);
    expect((await call(`${images}/e`, { key: await sign({ exp: 900 }) })).status).toBe(200);
    expect((await call(images, { key: await sign({ exp: -60 }), body: { prompt: 'x' } })).body['code']).toBe(1004);
  });
});

describe('resource packs', () => {
  it('run out for each type of its own, and tell what is left', async () => {
    const { call, pass } = await start();
    const packs = [
      { type: 'image', units: 20, slots: 5 },
      { type: 'video', units: 1, slots: 5 },
    ];
    expect((await call('/sandbox/packs', { method: 'PUT', body: { account: 'k', packs } })).status).toBe(204);
    const create = async (path: string, key = 'k') => (await call(path, { key, body: { prompt: 'x' } })).body['code'];
    expect([await create(images), await create(images), await create(images)]).toEqual([0, 0, 1102]);
    expect(await create('/v1/videos/text2video')).toBe(1102);
    expect(await create(images, 'another')).toBe(0);
    const costs = await call('/account/costs?start_time=0&end_time=1', { key: 'k' });
    expect(costs.body.data.resource_pack_subscribe_infos).toMatchObject([
      { total_quantity: 20, remaining_quantity: 4, status: 'online' },
      { total_quantity: 1, remaining_quantity: 1 },
    ]);
    expect((await call('/account/costs?start_time=0&end_time=1', { key: 'k' })).body['code']).toBe(1302);
    await call('/sandbox/packs', {
      method: 'PUT',
      body: { packs: [{ type: 'image', units: 100, slots: 2, expiresInSeconds: 60 }] },
    });
    const three = await call(images, { key: 'new', body: { prompt: 'x', n: 2 } });
    expect(three.body['code']).toBe(0);
    expect(await create(images, 'new')).toBe(1303);
    await pass(61_000);
    expect(await create(images, 'new')).toBe(1102);
  });

  it('pay for speech too, and list what was paid', async () => {
    const { call } = await start({ requestsPerSecond: 1000 });
    const speech = { text: 'hello', voice_id: 'oversea_male1', voice_language: 'en' };
    const spoken = await call('/v1/audio/tts', { body: speech });
    const [audio] = spoken.body.data.task_result.audios;
    expect(Buffer.from(await (await fetch(audio.url)).arrayBuffer()).readUInt16BE(0)).toBe(0xfff3);
    const picture = 'https://example.com/a.png';
    const avatar = (audio_id: string) => call('/v1/videos/avatar/image2video', { body: { image: picture, audio_id } });
    expect((await avatar(audio.id)).status).toBe(200);
    expect(await avatar('unknown')).toMatchObject(refused('audio_id unknown'));
    expect((await call('/sandbox/charges')).body).toMatchObject({ calls: 1, tasks: 1, units: 2.05 });
    const paid = await call('/account/billing/package', { body: { start_time: 0 } });
    expect(paid.body.data.result.detail).toMatchObject([{ product_function: 'avatar', deduction_amount: '2' }]);
    expect(await call('/v1/audio/tts', { body: { ...speech, voice_id: '200000001' } })).toMatchObject(
      refused('preset voice'),
    );
  });

  it('limits the rate where that is set', async () => {
    const { call } = await start({ requestsPerSecond: 2 });
    const codes = await Promise.all([1, 2, 3, 4].map(async () => (await call(images)).body['code']));
    expect(codes.toSorted()).toEqual([0, 0, 1302, 1302]);
  });
});

describe('elements, voices and videos', () => {
  const picture = 'https://example.com/a.png';
  const element = {
    ...{ element_name: 'Ada', element_description: 'a woman', reference_type: 'image_refer' },
    element_image_list: { frontal_image: picture, refer_images: [{ image_url: picture }] },
  };

  it('are made, used by their id, and deleted', async () => {
    const { call, pass } = await start();
    const made = await call('/v1/general/advanced-custom-elements', { body: element });
    await pass(10_000);
    const { task_id } = made.body.data;
    const task = await call(`/v1/general/advanced-custom-elements/${task_id}`);
    const [{ element_id, element_name }] = task.body.data.task_result.elements;
    expect(element_name).toBe('Ada');
    const use = (id: unknown, key = 'any-key') =>
      call(images, { key, body: { prompt: 'x', element_list: [{ element_id: id }] } });
    expect((await use(element_id)).status).toBe(200);
    expect((await use('100000001')).status).toBe(200);
    expect(await use(element_id, 'another')).toMatchObject(refused(`element_id ${element_id} does not exist`));
    for (const path of ['/v1/general/delete-elements', '/v1/general/delete-advanced-elements']) {
      const { body } = await call(path, { body: { element_id } });
      expect(body['code']).toBe(path.endsWith('delete-elements') ? 0 : 1201);
    }
    expect(await use(element_id)).toMatchObject(refused('does not exist'));
    const presets = await call('/v1/general/presets-voices?pageNum=2&pageSize=3');
    expect(presets.body.data).toMatchObject([{ task_result: { voices: [{ owned_by: 'kling' }] } }]);
  });

  it('go on from videos of this account alone, of a model that can, no older than 30 days', async () => {
    const { call, pass } = await start();
    const video = async (model_name: string) => {
      const made = await call('/v1/videos/text2video', { body: { prompt: 'x', model_name } });
      await pass(5000);
      const task = await call(`/v1/videos/text2video/${made.body.data.task_id}`);
      return task.body.data.task_result.videos[0].id as string;
    };
    const [old, young] = [await video('kling-v1-6'), await video('kling-v3')];
    const extend = (video_id: string, key = 'any-key') => call('/v1/videos/video-extend', { key, body: { video_id } });
    const extended = await extend(old);
    expect(extended.body.data.task_info).toEqual({ parent_video: { id: old } });
    expect(await extend(old, 'another')).toMatchObject(refused('does not exist'));
    expect(await extend(young)).toMatchObject(refused('kling-v3'));
    const sync = { input: { video_id: young, mode: 'text2video', text: 'hello', voice_id: 'v' } };
    expect((await call('/v1/videos/lip-sync', { body: sync })).status).toBe(200);
    await pass(31 * 86_400_000);
    expect(await extend(old)).toMatchObject(refused('older than 30 days'));
  });

  it('need a session that is open', async () => {
    const { call } = await start();
    const begun = await call('/v1/videos/multi-elements/init-selection', { body: { video_url: picture } });
    const edit = (session_id: string) =>
      call('/v1/videos/multi-elements', { body: { session_id, edit_mode: 'removal', prompt: 'x' } });
    expect((await edit(begun.body.data.session_id)).status).toBe(200);
    expect(await edit('unknown')).toMatchObject(refused('session_id unknown'));
  });
});

describe('pictures that are given', () => {
  const base64 = (aspect: string) => drawPicture('x', aspect, 0).toString('base64');

  it('are decoded and measured, and addresses checked without a visit', async () => {
    let visits = 0;
    const server = createServer(() => {
      visits += 1;
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { call } = await start();
    const give = (image: string) => call('/v1/videos/image2video', { body: { image } });
    expect((await give(base64('16:9'))).status).toBe(200);
    expect((await give(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a.png`)).status).toBe(200);
    const tiny = Buffer.from(base64('1:1'), 'base64');
    tiny.writeUInt32BE(200, 16);
    const wide = Buffer.from(base64('1:1'), 'base64');
    wide.writeUInt32BE(2000, 16);
    expect(await give(tiny.toString('base64'))).toMatchObject(refused('200×576'));
    expect(await give(wide.toString('base64'))).toMatchObject(refused('1:2.5'));
    expect(await give(`data:image/png;base64,${base64('1:1')}`)).toMatchObject(refused('data:'));
    expect(await give(Buffer.from('GIF89a'.repeat(100)).toString('base64'))).toMatchObject(refused('neither JPEG'));
    expect(await give('ftp://example.com/a.png')).toMatchObject(refused('neither an http(s)'));
    const small = Buffer.from(base64('1:1'), 'base64');
    const big = Buffer.concat([small, Buffer.alloc(10_490_000 - small.length)]).toString('base64');
    expect(await give(big)).toMatchObject(refused('10 MB'));
    const contents = [{ type: 'first_frame', url: big }];
    expect((await call('/image-to-video/kling-3.0', { body: { contents } })).status).toBe(200);
    server.close();
    expect(visits).toBe(0);
  });
});

describe('lists', () => {
  it('page by a cursor that new tasks do not shift, and filter by status and product', async () => {
    const { call, pass } = await start();
    for (let at = 0; at < 5; at += 1) await call(images, { body: { prompt: 'x', external_task_id: `e${at}` } });
    await pass(10_000);
    await call('/text-to-video/kling-3.0', { body: { prompt: 'x' } });
    const list = async (body: object) => (await call('/tasks', { body })).body.data;
    const first = await list({ limit: 2, filters: [{ key: 'product_type', values: ['image'] }] });
    expect(first).toMatchObject({ count: 2, has_more: true, result: [{ external_id: 'e4' }, { external_id: 'e3' }] });
    await call(images, { body: { prompt: 'new' } });
    const filters = [{ key: 'product_type', values: ['image'] }];
    const second = await list({ limit: 3, cursor: first.next_cursor, filters });
    expect(second).toMatchObject({ count: 3, has_more: false, next_cursor: '' });
    const done = await list({ filters: [{ key: 'status', values: ['succeed'] }] });
    expect(done.count).toBe(5);
    expect((await list({ start_time: '0', end_time: '1' })).count).toBe(0);
    expect(await call('/tasks', { body: { cursor: 'x' } })).toMatchObject(refused('cursor'));
    expect((await call('/solutions', { body: {} })).body.data.count).toBe(0);
  });
});

describe('results', () => {
  it('come in ranges, with a watermark where asked, and are deleted after 30 days', async () => {
    const { call, pass } = await start();
    const made = await call('/text-to-video/kling-3.0-turbo', {
      body: {
        ...{ prompt: 'x', settings: { aspect_ratio: '9:16', duration: 3 } },
        options: { watermark_info: { enabled: true } },
      },
    });
    await pass(10_000);
    const { data } = (await call(`/tasks?task_ids=${made.body.data.id}`)).body;
    const [{ url, watermark_url, duration }] = data[0].outputs;
    expect([duration, data[0].billing]).toEqual(['3', [{ charge_type: 'unit', amount: '2.4', package_type: 'video' }]]);
    const whole = Buffer.from(await (await fetch(url)).arrayBuffer());
    const part = await fetch(url, { headers: { range: 'bytes=4-7' } });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      `bytes 4-7/${whole.length}`,
      'ftyp',
    ]);
    // Turbo always has sound.
    expect(whole.includes('mp4a')).toBe(true);
    expect((await fetch(watermark_url)).headers.get('content-type')).toBe('video/mp4');
    expect((await fetch(url.replace('0.mp4', '1.mp4'))).status).toBe(404);
    await pass(30 * 86_400_000 + 1000);
    expect((await fetch(url)).status).toBe(404);
  });

  it('are bounded: the oldest task that has ended is forgotten', async () => {
    const { call, pass } = await start({ kept: 3 });
    const ids: string[] = [];
    for (let at = 0; at < 5; at += 1) {
      const headers: Record<string, string> = at === 0 ? { 'x-sandbox-fault': 'task-never-ends' } : {};
      ids.push((await call(images, { body: { prompt: 'x' }, headers })).body.data.task_id);
      await pass(5000);
    }
    const statuses = await Promise.all(ids.map(async (id) => (await call(`${images}/${id}`)).status));
    expect(statuses).toEqual([200, 400, 400, 200, 200]);
    expect((await call('/sandbox/charges')).body).toMatchObject({ tasks: 5 });
  });
});

describe('a request that the model cannot do', () => {
  it('is refused before it costs anything, and one of a model that is not known is not', async () => {
    const { call } = await start();
    const video = (model_name: string, duration: string) =>
      call('/v1/videos/text2video', { body: { prompt: 'x', model_name, duration } });
    expect(await video('kling-v2-6', '7')).toMatchObject(refused('duration'));
    expect(await video('kling-v3', '7')).toMatchObject({ status: 200 });
    expect(await video('kling-v99', '7')).toMatchObject({ status: 200 });
    expect((await call('/sandbox/charges')).body).toMatchObject({ tasks: 2 });
  });
});

describe('the address', () => {
  it.each([
    ['0.0.0.0', /^http:\/\/127\.0\.0\.1:\d+$/],
    ['127.0.0.2', /^http:\/\/127\.0\.0\.2:\d+$/],
    ['::1', /^http:\/\/\[::1\]:\d+$/],
    ['::', /^http:\/\/127\.0\.0\.1:\d+$/],
  ])('of a sandbox on %s reaches it', async (host, expected) => {
    const { call, sandbox } = await start({ host });
    expect(sandbox.url).toMatch(expected);
    expect((await call('/sandbox/charges')).status).toBe(200);
  });
});

describe('the admin surface', () => {
  it('can be kept off the port of the callers', async () => {
    const { call, sandbox } = await start({ adminOnTraffic: false });
    expect((await call('/sandbox/charges')).status).toBe(404);
    const server = createServer(sandbox.admin).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = (server.address() as AddressInfo).port;
    const reply = await fetch(`http://127.0.0.1:${port}/sandbox/charges`);
    expect(await reply.json()).toMatchObject({ tasks: 0 });
    server.close();
  });

  it('lets no page steer it, neither by its own name nor by one that points here', async () => {
    const { call, sandbox } = await start();
    const { port } = new URL(sandbox.url);
    const status = (method: string, path: string, headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        // Not by fetch, which sends its own Host.
        request(sandbox.url + path, { method, headers }, (reply) => {
          reply.resume();
          resolve(reply.statusCode);
        })
          .on('error', reject)
          .end();
      });
    await call(images, { body: { prompt: 'x' } });
    expect(await status('POST', '/sandbox/reset', { origin: 'https://evil.example' })).toBe(403);
    expect(await status('POST', '/sandbox/reset', { origin: 'null' })).toBe(403);
    expect(await status('GET', '/sandbox/tasks', { host: `evil.example:${port}` })).toBe(403);
    expect((await call('/sandbox/tasks')).body).toMatchObject({ count: 1 });
    for (const host of [`localhost:${port}`, `[::1]:${port}`, 'sandbox.kling.svc:9090', 'sandbox']) {
      expect(await status('GET', '/sandbox/tasks', { host }), host).toBe(200);
    }
    expect(await status('POST', '/sandbox/reset', { origin: sandbox.url })).toBe(204);
  });

  it('resets everything, and shows no key', async () => {
    const { call } = await start();
    const key = 'a-real-key-that-somebody-tries-here-by-mistake';
    await call(images, { key, body: { prompt: 'x' } });
    await call('/sandbox/faults', { body: { fault: '5000', match: { account: key } } });
    const shown = [await call('/sandbox/tasks'), await call('/sandbox/faults')];
    expect(JSON.stringify(shown)).not.toContain(key);
    expect(shown[0]?.body).toMatchObject({ count: 1, tasks: [{ kind: 'text-to-image', status: 'submitted' }] });
    await call('/sandbox/clock', { body: { advanceSeconds: 1e6, speed: 5 } });
    expect((await call('/sandbox/reset', { method: 'POST' })).status).toBe(204);
    expect((await call('/sandbox/tasks')).body['count']).toBe(0);
    expect((await call('/sandbox/faults')).body['faults']).toEqual([]);
    const { now, speed } = (await call('/sandbox/clock')).body as unknown as { now: number; speed: number };
    expect(speed).toBe(0);
    expect(Math.abs(now - Date.now())).toBeLessThan(60_000);
    expect(await call('/sandbox/clock', { body: { speed: -1, backwards: true } })).toMatchObject({ status: 400 });
  });
});
