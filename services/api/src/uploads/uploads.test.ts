import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { createLogger, createRegistry } from '@klingapi/management';
import { startSandbox } from '@klingapi/sandbox';
import { PNG } from 'pngjs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { type S3, startS3 } from '../../../../test/s3/server.ts';
import { type Api, type ApiOptions, startApi, taskReplySchema } from '../index.ts';
import { createFolderStore } from '../results/folder-store.ts';
import { type ResultStore, ResultStoreError } from '../results/result-store.ts';
import { createS3Store } from '../results/s3-store.ts';
import { referenceOf, uploadReplySchema } from './upload.ts';

// The S3 server is built once, from source.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 900_000 });
const patient = { timeout: 20_000, interval: 20 };
const DAY = 24 * 3_600_000;
const MB = 1024 * 1024;
const PUBLIC = 'https://studio.example/kling';

let s3: S3;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.stop());
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const PICTURE = PNG.sync.write(new PNG({ width: 400, height: 300 }));
const VIDEO = Buffer.concat([Buffer.from('\0\0\0\x20ftypisom', 'latin1'), randomBytes(2 * MB)]);
const SOUND = Buffer.concat([Buffer.from('ID3\x04', 'latin1'), randomBytes(5000)]);

/** What Kling is asked, by method and path, on the way to the sandbox. */
async function startRecorder(target: string): Promise<{ url: string; bodies: unknown[] }> {
  const bodies: unknown[] = [];
  const server = createServer(async (request, reply) => {
    const body = request.method === 'POST' ? await json(request) : undefined;
    if (body !== undefined) bodies.push(body);
    const { authorization = '' } = request.headers;
    const answer = await fetch(target + request.url, {
      method: request.method ?? 'GET',
      headers: { authorization, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    reply.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return { url: `http://127.0.0.1:${port}`, bodies };
}

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}
interface Case {
  readonly api: Api;
  readonly bodies: readonly unknown[];
  readonly logs: readonly string[];
  pass(milliseconds: number): void;
  call(method: string, path: string, body?: Buffer | object, key?: string): Promise<Reply>;
  upload(file: Buffer): Promise<z.infer<typeof uploadReplySchema>>;
  charged(): Promise<number>;
}

async function start(results: ResultStore | undefined, options: Partial<ApiOptions> = {}): Promise<Case> {
  let later = 0;
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 0.05 });
  closing.push(() => sandbox.close());
  const { url: baseUrl, bodies } = await startRecorder(sandbox.url);
  const callersDir = mkdtempSync(join(tmpdir(), 'callers-'));
  for (const name of ['alice', 'bob']) writeFileSync(join(callersDir, name), `${name}-key`);
  writeFileSync(join(callersDir, 'reader'), JSON.stringify({ key: 'reader-key', scopes: ['read'] }));
  const logs: string[] = [];
  const api = await startApi({
    ...{ host: '127.0.0.1', port: 0, storage: { dataDir: mkdtempSync(join(tmpdir(), 'data-')) } },
    upstream: { baseUrl, credentials: { apiKey: 'k' } },
    authentication: { auth: 'callers', callersDir },
    logger: createLogger({ name: 'api', level: 'debug', destination: { write: (line) => logs.push(line) } }),
    registry: createRegistry('api'),
    now: () => Date.now() + later,
    retryMs: 20,
    results,
    ...options,
  });
  closing.push(() => api.close());
  const call: Case['call'] = async (method, path, body, key = 'alice-key') => {
    const reply = await fetch(api.url + path, {
      method,
      headers: {
        ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
        // What the sender says of a file does not count.
        ...(body === undefined ? {} : { 'content-type': Buffer.isBuffer(body) ? 'text/html' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body) }),
    });
    const text = await reply.text();
    return { status: reply.status, headers: reply.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
  return {
    ...{ api, bodies, logs, call },
    pass: (milliseconds) => {
      later += milliseconds;
    },
    async upload(file) {
      const reply = await call('POST', '/api/uploads', file);
      expect([reply.status, reply.body]).toEqual([201, expect.anything()]);
      return uploadReplySchema.parse(reply.body);
    },
    charged: async () =>
      z.object({ tasks: z.number() }).parse(await (await fetch(`${sandbox.url}/sandbox/charges`)).json()).tasks,
  };
}

const folder = () => mkdtempSync(join(tmpdir(), 'results-'));
const filesIn = (place: string) =>
  readdirSync(place, { recursive: true, withFileTypes: true }).filter((it) => it.isFile());
const places: [string, () => Promise<ResultStore>][] = [
  ['a folder', async () => createFolderStore(folder())],
  [
    'a bucket',
    async () => createS3Store({ ...s3, bucket: await s3.createBucket(), prefix: 'a/', forcePathStyle: true }),
  ],
];

describe.each(places)('a file in %s', (_name, open) => {
  it('comes in as it is, is known to its owner alone, and has an address for whoever was given it', async () => {
    const { api, call, upload } = await start(await open(), { publicUrl: `${PUBLIC}/` });
    const told = await upload(PICTURE);
    const sha256 = createHash('sha256').update(PICTURE).digest('hex');
    expect(told).toMatchObject({ type: 'image/png', bytes: PICTURE.length, sha256, width: 400, height: 300 });
    expect(Date.parse(told.expiresAt) - Date.parse(told.createdAt)).toBe(7 * DAY);
    expect(told.url).toMatch(/^https:\/\/studio\.example\/kling\/uploads\/[A-Za-z0-9_-]{43}\.png$/);
    expect(told.url).not.toContain(told.id);
    expect((await call('GET', `/api/uploads/${told.id}`)).body).toEqual(told);
    expect((await call('GET', `/api/uploads/${told.id}`, undefined, 'bob-key')).status).toBe(404);
    expect((await call('DELETE', `/api/uploads/${told.id}`, undefined, 'bob-key')).status).toBe(404);

    const address = api.url + told.url.slice(PUBLIC.length);
    const whole = await fetch(address);
    expect(Buffer.from(await whole.arrayBuffer()).equals(PICTURE)).toBe(true);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      ...{ 'content-type': 'image/png', etag: `"${sha256}"`, 'accept-ranges': 'bytes' },
      ...{ 'x-content-type-options': 'nosniff', 'content-security-policy': "default-src 'none'; sandbox" },
      'content-length': String(PICTURE.length),
    });
    const part = await fetch(address, { headers: { range: 'bytes=1-3' } });
    expect([part.status, await part.text()]).toEqual([206, 'PNG']);
    expect((await fetch(address, { headers: { 'if-none-match': `"${sha256}"` } })).status).toBe(304);
    expect((await fetch(address, { method: 'HEAD' })).status).toBe(200);
    for (const wrong of [
      address.replace('.png', '.html'),
      address.replace(/.{4}\.png/, 'AAAA.png'),
      `${api.url}/uploads/`,
    ]) {
      expect((await fetch(wrong)).status, wrong).toBe(404);
    }

    const removed = await call('DELETE', `/api/uploads/${told.id}`);
    expect([removed.status, removed.body]).toEqual([204, undefined]);
    expect((await fetch(address)).status).toBe(404);
    expect((await call('GET', `/api/uploads/${told.id}`)).status).toBe(404);
  });

  it('of a video passes through whole', async () => {
    const { api, upload } = await start(await open(), { publicUrl: PUBLIC });
    const { url, type } = await upload(VIDEO);
    expect(type).toBe('video/mp4');
    const got = await fetch(api.url + url.slice(PUBLIC.length));
    expect(Buffer.from(await got.arrayBuffer()).equals(VIDEO)).toBe(true);
  });

  it('leaves nothing behind when its sender goes away, or the picture turns out to be too small', async () => {
    const place = await open();
    const { api, call, logs } = await start(place, { uploads: { bytesPerCaller: 2 * MB + 100 } });
    await new Promise<void>((resolve) => {
      const headers = { authorization: 'Bearer alice-key', 'content-length': 2 * MB };
      const half = httpRequest(`${api.url}/api/uploads`, { method: 'POST', headers });
      half.on('error', () => resolve());
      half.write(VIDEO.subarray(0, MB), () => half.destroy());
      half.on('close', resolve);
    });
    const small = PNG.sync.write(new PNG({ width: 20, height: 20 }));
    expect((await call('POST', '/api/uploads', small)).status).toBe(400);
    await vi.waitFor(() => expect(logs.filter((line) => line.includes('upload deleted'))).toHaveLength(2), patient);
    // There is room again, so the rows are gone too.
    expect((await call('POST', '/api/uploads', VIDEO)).status).toBe(201);
  });

  it('goes when its time is over', async () => {
    const { api, upload, call, pass, logs } = await start(await open(), { publicUrl: PUBLIC });
    const { url, id } = await upload(PICTURE);
    pass(7 * DAY + 1);
    const late = await call('POST', '/api/videos/image-to-video', { image: `upload:${id}` });
    expect([late.status, late.body]).toMatchObject([400, { errors: [{ field: 'image' }] }]);
    pass(DAY);
    await call('POST', '/api/images/generations', { prompt: 'makes the sweep look at the clock' });
    await vi.waitFor(() => expect(logs.some((line) => line.includes('upload deleted'))).toBe(true), patient);
    expect((await fetch(api.url + url.slice(PUBLIC.length))).status).toBe(404);
  });
});

describe('a file is refused', () => {
  it('by its content, its size and who sends it, in words', async () => {
    const place = folder();
    const { call } = await start(createFolderStore(place));
    const post = async (file: Buffer, key?: string) => {
      const { status, body } = await call('POST', '/api/uploads', file, key);
      return [status, z.object({ code: z.string(), detail: z.string() }).parse(body)];
    };
    expect(await post(Buffer.from('<!DOCTYPE html><script>'))).toMatchObject([415, { code: 'upload_type_unknown' }]);
    expect(await post(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))).toMatchObject([415, {}]);
    const form = await post(Buffer.from('------x\r\nContent-Disposition: form-data; name="file"\r\n\r\n'));
    expect(form).toMatchObject([415, { detail: expect.stringContaining('curl -T') }]);
    expect(await post(Buffer.alloc(0))).toMatchObject([400, { detail: expect.stringContaining('the body is empty') }]);
    const wide = await post(PNG.sync.write(new PNG({ width: 1000, height: 300 })));
    expect(wide).toMatchObject([400, { detail: 'the picture has 1000 × 300 pixels' }]);
    expect(await post(PICTURE.subarray(0, 20))).toMatchObject([
      400,
      { detail: 'the picture has no header that can be read' },
    ]);
    expect(await post(PICTURE, '')).toMatchObject([401, {}]);
    expect(await post(PICTURE, 'reader-key')).toMatchObject([403, { code: 'scope_missing' }]);
    expect(filesIn(place)).toEqual([]);
  });

  it('as soon as it is known to be too large, before it is sent', async () => {
    const { api } = await start(createFolderStore(folder()));
    /** Sends what begins as it should and never comes to its end. */
    const announce = (length: number, head: Buffer) =>
      new Promise<[number, unknown]>((resolve, reject) => {
        const headers = { authorization: 'Bearer alice-key', 'content-length': length };
        const sending = httpRequest(`${api.url}/api/uploads`, { method: 'POST', headers }, (reply) => {
          json(reply).then((body) => resolve([reply.statusCode ?? 0, body]), reject);
        });
        sending.on('error', reject);
        sending.write(head);
        closing.push(async () => sending.destroy());
      });
    const refusal = (most: number) => [
      413,
      { code: 'upload_too_large', detail: expect.stringContaining(`${most} MB`) },
    ];
    expect(await announce(51 * MB, PICTURE)).toMatchObject(refusal(50));
    expect(await announce(21 * MB, SOUND)).toMatchObject(refusal(20));
    expect(await announce(201 * MB, VIDEO)).toMatchObject(refusal(200));
  });

  it('without its length, of which nothing could be promised', async () => {
    const { api } = await start(createFolderStore(folder()));
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(PICTURE));
        controller.close();
      },
    });
    const headers = { authorization: 'Bearer alice-key' };
    const reply = await fetch(`${api.url}/api/uploads`, { method: 'POST', headers, body: stream, duplex: 'half' });
    expect([reply.status, await reply.json()]).toMatchObject([411, { code: 'length_required' }]);
  });

  it('when its caller keeps as much as it may, and others are not', async () => {
    const { call, upload } = await start(createFolderStore(folder()), { uploads: { bytesPerCaller: 3 * MB } });
    const { id } = await upload(VIDEO);
    const full = await call('POST', '/api/uploads', VIDEO);
    expect([full.status, full.body]).toMatchObject([429, { code: 'uploads_limited' }]);
    expect(Number(full.headers.get('retry-after'))).toBeGreaterThan(6 * 24 * 3600);
    expect((await call('POST', '/api/uploads', VIDEO, 'bob-key')).status).toBe(201);
    await call('DELETE', `/api/uploads/${id}`);
    await vi.waitFor(async () => expect((await call('POST', '/api/uploads', VIDEO)).status).toBe(201), patient);
  });

  it('when its caller sends four others at that moment', async () => {
    const { api, call, logs } = await start(createFolderStore(folder()));
    const sending = [1, 2, 3, 4].map(() => {
      const headers = { authorization: 'Bearer alice-key', 'content-length': VIDEO.length };
      const half = httpRequest(`${api.url}/api/uploads`, { method: 'POST', headers }).on('error', () => {});
      half.write(VIDEO.subarray(0, 1000));
      return half;
    });
    await vi.waitFor(async () => {
      const reply = await call('POST', '/api/uploads', PICTURE);
      expect([reply.status, reply.body]).toMatchObject([429, { detail: '4 uploads at once are the most' }]);
    }, patient);
    expect((await call('POST', '/api/uploads', PICTURE, 'bob-key')).status).toBe(201);
    for (const half of sending) half.destroy();
    await vi.waitFor(async () => expect((await call('POST', '/api/uploads', PICTURE)).status).toBe(201), patient);
    expect(logs.filter((line) => line.includes('request failed'))).toEqual([]);
  });

  it('where there is no place for it, with what to set', async () => {
    const { call } = await start(undefined);
    const reply = await call('POST', '/api/uploads', PICTURE);
    expect([reply.status, reply.body]).toMatchObject([
      404,
      { code: 'uploads_unconfigured', detail: expect.stringContaining('RESULTS_S3_ENDPOINT') },
    ]);
  });
});

describe('a request that names an upload', () => {
  it('carries it in itself where this service has no address, and is stored without it', async () => {
    const { call, upload, bodies } = await start(createFolderStore(folder()));
    const { id, url } = await upload(PICTURE);
    expect(url).toBe(`upload:${id}`);
    const made = await call('POST', '/api/videos/image-to-video', { image: url, prompt: 'wind' });
    expect([made.status, made.body]).toMatchObject([202, { request: { image: url } }]);
    expect(bodies.at(-1)).toMatchObject({ image: PICTURE.toString('base64') });
    const { id: task } = taskReplySchema.parse(made.body);
    expect((await call('POST', `/api/tasks/${task}/wait`, {})).body).toMatchObject({ status: 'succeeded' });

    await call('POST', '/v1/images/generations', { prompt: 'x', image: url });
    expect(bodies.at(-1)).toMatchObject({ image: PICTURE.toString('base64') });
    const contents = [{ type: 'first_frame', url }];
    await call('POST', '/image-to-video/kling-3.0-turbo', { contents });
    expect(bodies.at(-1)).toMatchObject({ contents: [{ url: PICTURE.toString('base64') }] });
    await call('POST', '/api/images/recognize', { image: url });
    expect(bodies.at(-1)).toMatchObject({ image: PICTURE.toString('base64') });
    const sound = await upload(SOUND);
    await call('POST', '/api/videos/avatar', { image: url, sound_file: sound.url });
    expect(bodies.at(-1)).toMatchObject({ sound_file: SOUND.toString('base64') });
  });

  it('carries its address where there is one, by id and by address', async () => {
    const { call, upload, bodies } = await start(createFolderStore(folder()), { publicUrl: PUBLIC });
    const [picture, video] = [await upload(PICTURE), await upload(VIDEO)];
    const body = { image_url: `upload:${picture.id}`, video_url: `upload:${video.id}`, character_orientation: 'image' };
    expect((await call('POST', '/api/videos/motion-control', body)).status).toBe(202);
    expect(bodies.at(-1)).toMatchObject({ image_url: picture.url, video_url: video.url });
    expect((await call('POST', '/v1/videos/image2video', { image: picture.url })).status).toBe(200);
    expect(bodies.at(-1)).toMatchObject({ image: picture.url });
    const gone = await call('DELETE', `/api/uploads/${video.id}`);
    expect([204, 409]).toContain(gone.status);
  });

  it('is refused before it costs anything when Kling could not take it', async () => {
    const { call, upload, charged } = await start(createFolderStore(folder()));
    const [picture, video] = [await upload(PICTURE), await upload(VIDEO)];
    const bobs = await call('POST', '/api/uploads', PICTURE, 'bob-key');
    const refusedAt = async (path: string, body: object) => {
      const reply = await call('POST', path, body);
      expect(reply.status, path).toBe(400);
      return reply.body;
    };
    expect(await refusedAt('/api/audio/video-to-audio', { video_url: video.url })).toMatchObject({
      errors: [
        {
          field: 'video_url',
          problem: expect.stringContaining('no address'),
          hint: expect.stringContaining('PUBLIC_URL'),
        },
      ],
    });
    expect(await refusedAt('/api/videos/image-to-video', { image: video.url })).toMatchObject({
      errors: [{ field: 'image', problem: 'is a video (video/mp4)', hint: 'a picture is needed here' }],
    });
    const names = 'image names no upload of yours that is there';
    const strange = uploadReplySchema.parse(bobs.body).url;
    expect(await refusedAt('/api/videos/image-to-video', { image: strange })).toMatchObject({ detail: names });
    for (const image of ['upload:../../etc', 'upload:\u0000', 'upload:']) {
      // PostgreSQL takes no NUL.
      expect(referenceOf(image, undefined)).toEqual({ id: '' });
      expect(await refusedAt('/v1/videos/image2video', { image })).toMatchObject({ message: names });
    }
    expect(await refusedAt('/api/videos/faces', { video_url: video.url })).toMatchObject({ code: 'invalid_request' });
    expect(await refusedAt('/api/videos/image-to-video', { image_tail: picture.url, image: strange })).toBeDefined();
    const request = { image: video.url };
    expect((await call('POST', '/api/estimate', { kind: 'image-to-video', request })).body).toMatchObject({
      possible: false,
      errors: [{ field: 'image' }],
    });
    expect(await charged()).toBe(0);
  });

  it('keeps it from being deleted until its task has ended', async () => {
    const { call, upload, api } = await start(createFolderStore(folder()), { concurrency: 1 });
    const { id, url } = await upload(PICTURE);
    const image = { image: url };
    const made = taskReplySchema.parse((await call('POST', '/api/videos/image-to-video', image)).body);
    // As many as wait for each other, so that one of them has not ended.
    for (let more = 0; more < 5; more += 1) await call('POST', '/api/videos/image-to-video', image);
    const refused = await call('DELETE', `/api/uploads/${id}`);
    expect([refused.status, refused.body]).toMatchObject([409, { code: 'upload_in_use' }]);
    expect(made.status).toBeDefined();
    await vi.waitFor(async () => expect((await call('DELETE', `/api/uploads/${id}`)).status).toBe(204), patient);
    expect(api.draining()).toBe(false);
  });

  it('waits when the place of the file cannot be reached, and is paid once', async () => {
    const store = createFolderStore(folder());
    let failures = 0;
    const shaky: ResultStore = {
      ...store,
      get(...of) {
        failures += 1;
        return failures <= 3 ? Promise.reject(new ResultStoreError('away')) : store.get(...of);
      },
    };
    const { call, upload, charged } = await start(shaky);
    const { url } = await upload(PICTURE);
    const made = await call('POST', '/api/videos/image-to-video', { image: url });
    expect([made.status, made.body]).toMatchObject([202, { status: 'submitted' }]);
    const { id } = taskReplySchema.parse(made.body);
    expect((await call('POST', `/api/tasks/${id}/wait`, {})).body).toMatchObject({ status: 'succeeded' });
    expect([failures > 3, await charged()]).toEqual([true, 1]);
  });
});
