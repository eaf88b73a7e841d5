import { mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createRegistry } from '@klingapi/management';
import { startSandbox } from '@klingapi/sandbox';
import Fastify from 'fastify';
import { PNG } from 'pngjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { startApiProcess } from '../../../../test/api-process.ts';
import { problemSchema, startApi, taskReplySchema } from '../index.ts';
import { createLoad, DEFAULT_LOAD_LIMITS, type LoadLimits } from './load.ts';
import { addShedding } from './shedding.ts';

vi.setConfig({ testTimeout: 120_000 });
const patient = { timeout: 20_000, interval: 20 };
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(load: Partial<LoadLimits>, taskSeconds = 60) {
  let letGo = (): void => {};
  const held = new Promise<undefined>((resolve) => {
    letGo = () => resolve(undefined);
  });
  const seen = { creates: 0, hold: false };
  const sandbox = await startSandbox({
    ...{ host: '127.0.0.1', port: 0, taskSeconds },
    fault: (method) => {
      if (method !== 'POST') return undefined;
      seen.creates += 1;
      return seen.hold ? held : undefined;
    },
  });
  closing.push(sandbox.close);
  const registry = createRegistry('api');
  const api = await startApi({
    ...{ host: '127.0.0.1', port: 0, storage: { dataDir: mkdtempSync(join(tmpdir(), 'data-')) } },
    upstream: { baseUrl: sandbox.url, credentials: { apiKey: 'k' }, sleep: async () => {} },
    authentication: { auth: 'none' },
    logger: createLogger({ name: 'api', level: 'silent' }),
    registry,
    webhookSecret: 'whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI=',
    load,
  });
  closing.push(async () => {
    letGo();
    await api.close();
  });
  const post = (path: string, body: unknown) =>
    fetch(api.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  /** @param series up to where the label that all have follows */
  const metric = async (series: string) => {
    const lines = (await registry.metrics()).split('\n');
    return Number(lines.find((line) => line.startsWith(`${series}app=`))?.split(' ')[1]);
  };
  return { api, post, metric, seen, letGo };
}
const images = '/api/images/generations';
/** Two pictures in Base64 of so many characters each: a PNG, and nothing of use after it. */
const pictures = (length: number) => {
  const real = PNG.sync.write(new PNG({ width: 512, height: 512 }));
  const picture = Buffer.concat([real, Buffer.alloc(Math.floor(length / 4) * 3 - real.length)]).toString('base64');
  return { image: picture, image_tail: picture, prompt: 'a fox', model_name: 'kling-v3' };
};

async function expectShed(reply: Response): Promise<void> {
  expect([reply.status, reply.headers.get('content-type')]).toEqual([503, 'application/problem+json']);
  expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(problemSchema.parse(await reply.json())).toMatchObject({ code: 'overloaded' });
}

describe('a process with too much to do', () => {
  it('refuses work without any effect, and still answers reads, health and docs', async () => {
    const { api, post, metric, seen, letGo } = await start({ requests: 1 });
    seen.hold = true;
    const first = post(images, { prompt: 'a fox' });
    await vi.waitFor(() => expect(seen.creates).toBe(1), patient);
    await expectShed(await post(images, { prompt: 'a hare' }));
    const vendor = await post('/v1/images/generations', { prompt: 'a hare' });
    expect([vendor.status, vendor.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await vendor.json()).toMatchObject({ code: 5001 });
    for (const path of ['/api/tasks', '/api/health', '/docs', '/docs/json'])
      expect((await fetch(api.url + path)).status, path).toBe(200);
    expect(seen.creates).toBe(1);
    expect(await metric('klingapi_requests_shed_total{reason="requests",')).toBe(2);
    letGo();
    expect((await first).status).toBe(202);
    const tasks = z.object({ tasks: z.array(z.unknown()) }).parse(await (await fetch(`${api.url}/api/tasks`)).json());
    expect(tasks.tasks).toHaveLength(1);
    expect((await post(images, { prompt: 'a hare' })).status).toBe(202);
  });

  it('holds no more large bodies than allowed, also of clients that go away, and small ones go through', async () => {
    const { api, post, metric, seen, letGo } = await start({ bodyBytes: 250_000, roomWithinMs: 50 });
    seen.hold = true;
    const large = post('/api/videos/image-to-video', pictures(100_000));
    await vi.waitFor(() => expect(seen.creates).toBe(1), patient);
    await expectShed(await post('/api/videos/image-to-video', pictures(100_000)));
    const small = post(images, { prompt: 'a fox' });
    await vi.waitFor(() => expect(seen.creates).toBe(2), patient);
    letGo();
    expect([(await large).status, (await small).status]).toEqual([202, 202]);

    // Announced, begun, and never sent.
    const socket = connect(api.port, '127.0.0.1');
    socket.write(
      `POST ${images} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9000000\r\n\r\n{"prompt":`,
    );
    await vi.waitFor(async () => {
      expect(await metric('klingapi_requests_in_flight{class="work",')).toBe(1);
    }, patient);
    await expectShed(await post('/api/videos/image-to-video', pictures(100_000)));
    socket.destroy();
    await vi.waitFor(async () => {
      expect((await post('/api/videos/image-to-video', pictures(100_000))).status).toBe(202);
    }, patient);
    expect(await metric('klingapi_requests_shed_total{reason="bytes",')).toBeGreaterThanOrEqual(2);
  });

  it('lets a slow body keep its room until another wants it', async () => {
    const { api, post, metric } = await start({ bodyBytes: 250_000, arrivesWithinMs: 20 });
    const slow = connect(api.port, '127.0.0.1').on('error', () => {});
    const answered = new Promise<string>((resolve) => slow.once('data', (data) => resolve(data.toString())));
    slow.write(
      `POST ${images} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9000000\r\n\r\n{"prompt":`,
    );
    await vi.waitFor(async () => {
      expect(await metric('klingapi_request_body_bytes_in_flight{')).toBe(9_000_000);
    }, patient);
    expect((await post('/api/videos/image-to-video', pictures(100_000))).status).toBe(202);
    // In words, and not by a connection that breaks.
    expect(await answered).toMatch(/^HTTP\/1.1 503 .*\r\nretry-after: 2\r\n.*"code":"overloaded"/s);
  });

  it('lets only so many wait, who are no load for others', async () => {
    const { api, post, metric } = await start({ requests: 1, waiters: 2 });
    const { id } = taskReplySchema.parse(await (await post(images, { prompt: 'a fox' })).json());
    const gone = new AbortController();
    const waits = [
      fetch(`${api.url}/api/tasks/${id}/events`, { signal: gone.signal }),
      fetch(`${api.url}/api/tasks/${id}/wait`, { method: 'POST', signal: gone.signal }),
    ];
    for (const wait of waits) wait.catch(() => {});
    await vi.waitFor(async () => {
      expect(await metric('klingapi_requests_in_flight{class="wait",')).toBe(2);
    }, patient);
    await expectShed(await post(`/api/tasks/${id}/wait`, { timeoutSeconds: 1 }));
    await expectShed(await fetch(`${api.url}/api/tasks/${id}/events`));
    expect((await post(images, { prompt: 'a hare' })).status).toBe(202);
    gone.abort();
    await vi.waitFor(async () => {
      expect((await post(`/api/tasks/${id}/wait`, { timeoutSeconds: 0 })).status).toBe(200);
    }, patient);
  });
});

describe('what takes no room from others', () => {
  const room = 'klingapi_request_body_bytes_in_flight{';
  const open = (port: number, head: string) => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    closing.push(async () => void socket.destroy());
    socket.write(head);
    return socket;
  };

  it('a body that comes with a read, which nobody reads', async () => {
    const { api, post, metric } = await start({ bodyBytes: 250_000, roomWithinMs: 50 });
    const { id } = taskReplySchema.parse(await (await post(images, { prompt: 'a fox' })).json());
    const chunked = 'HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n';
    open(api.port, `GET /api/tasks/${id}/events ${chunked}`);
    await vi.waitFor(async () => {
      expect(await metric('klingapi_requests_in_flight{class="wait",')).toBe(1);
    }, patient);
    expect(await metric(room)).toBe(0);
    expect((await post('/api/videos/image-to-video', pictures(100_000))).status).toBe(202);
  });

  it('a body whose connection has ended, where the handler answers by itself', async () => {
    const load = createLoad(DEFAULT_LOAD_LIMITS, () => 0);
    const app = Fastify({ bodyLimit: 1_000_000 });
    closing.push(() => app.close());
    addShedding(app, load, () => {});
    app.post('/', (_request, reply) => {
      reply.hijack();
      reply.raw.end('ok');
    });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const body = JSON.stringify('x'.repeat(100_000));
    const reply = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect(await reply.text()).toBe('ok');
    await vi.waitFor(() => expect(load.bodyBytes()).toBe(0), patient);
  });

  it('callbacks, which anybody can send', async () => {
    const { api, post, metric } = await start({ requests: 1, callbacks: 2, bodyBytes: 250_000, roomWithinMs: 50 });
    const head = 'POST /callbacks/kling HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
    const strangers = [1, 2].map(() => open(api.port, `${head}transfer-encoding: chunked\r\n\r\n1\r\n{\r\n`));
    const ends = strangers.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    await vi.waitFor(async () => {
      expect(await metric('klingapi_requests_in_flight{class="callback",')).toBe(2);
    }, patient);
    expect([await metric(room), await metric('klingapi_requests_in_flight{class="work",')]).toEqual([0, 0]);
    await expectShed(await post('/callbacks/kling', {}));
    expect((await post('/api/videos/image-to-video', pictures(100_000))).status).toBe(202);
    // Those who send nothing more do not stay.
    await Promise.all(ends);
    expect((await post('/callbacks/kling', { text: 'x'.repeat(70_000) })).status).toBe(413);
    expect((await post('/callbacks/kling', {})).status).toBe(401);
  });
});

describe.runIf(process.platform === 'linux')('the real process', () => {
  it('stays within its memory under sixty bodies of 28 MB at once, and answers others meanwhile', async () => {
    const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 60 });
    closing.push(sandbox.close);
    const child = await startApiProcess({
      KLING_BASE_URL: sandbox.url,
      DATA_DIR: mkdtempSync(join(tmpdir(), 'data-')),
      // As Node chooses it in a container of 512 MiB, the limit that the operator gives.
      NODE_OPTIONS: '--max-old-space-size=256',
    });
    closing.push(child.kill);
    const send = (path: string, body: string) =>
      fetch(child.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect((await send(images, JSON.stringify({ prompt: 'warm' }))).status).toBe(202);

    let most = 0;
    let ended = false;
    const watching = (async () => {
      while (!ended) {
        most = Math.max(most, await child.memory());
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    const body = JSON.stringify(pictures(13_900_000));
    const large = Array.from({ length: 60 }, async () => {
      const reply = await send('/api/videos/image-to-video', body);
      if (reply.status === 503) await expectShed(reply);
      else await reply.text();
      return reply.status;
    });
    const others = Array.from({ length: 10 }, async (_, index) => {
      const reply = await send(images, JSON.stringify({ prompt: `fox ${index}` }));
      // Late it may be, for the loop parses large bodies meanwhile.
      if (reply.status !== 202) await expectShed(reply);
      return (await fetch(`${child.url}/api/health`)).status;
    });
    const statuses = await Promise.all(large);
    expect(new Set(await Promise.all(others))).toEqual(new Set([200]));
    ended = true;
    await watching;
    expect(new Set(statuses)).toEqual(new Set([202, 503]));
    expect(most).toBeLessThan(512 * 1024 * 1024);
    await vi.waitFor(async () => {
      expect((await send('/api/videos/image-to-video', body)).status).toBe(202);
    }, patient);
  });
});
