import { get, type IncomingHttpHeaders, request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import type { HandshakeResult } from '@klingapi/probe';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Cache, createCache } from '../kube/cache.ts';
import { systemClock } from '../kube/clock.ts';
import { KINDS } from '../kube/kinds.ts';
import { createReadable } from '../readable.ts';
import { klingApiSchema } from '../resource/klingapi.ts';
import { handshakeOf, reportOf } from '../testing.ts';
import { MOST_STREAMS } from './feed.ts';
import { type Console, startConsole } from './start.ts';

let cache: Cache<object>;
let feed: ReturnType<Cache<object>['feed']>;
let page: Console;
const ends: (() => void)[] = [];
let leading = true;
beforeEach(async () => {
  leading = true;
  cache = createCache({ kind: KINDS.KlingApi });
  feed = cache.feed();
  page = await startConsole({
    ...{ port: 0, cache, clock: systemClock },
    readable: createReadable(),
    operator: () => ({ pod: 'operator-1', namespace: 'kling-system', leading, leader: 'operator-1' }),
  });
});
afterEach(async () => {
  for (const end of ends.splice(0)) end();
  await page.close();
});

const studio = (resourceVersion = '1', uid = 'uid-studio') => ({
  metadata: { name: 'studio', namespace: 'media', uid, generation: 1, resourceVersion },
  spec: {
    upstream: { provider: 'Kling', apiKeySecretRef: { name: 'kling', key: 'apiKey' } },
    mcp: { env: [{ name: 'TOKEN', value: 'a-value-of-the-spec' }] },
  },
  status: {
    mcp: { serving: '1/1', pods: [{ name: 'studio-mcp-1', verdict: 'Serving', since: '2026-11-24T10:00:00Z' }] },
  },
});

interface Answer {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}
const ask = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port: page.port, path, method, headers }, (reply) => {
      void text(reply).then((body) => resolve({ status: reply.statusCode, headers: reply.headers, body }));
    });
    asking.on('error', reject);
    asking.end();
  });

/** @returns what has come so far */
const follow = (): Promise<{ status: number | undefined; told: () => string }> =>
  new Promise((resolve, reject) => {
    const asking = get({ host: '127.0.0.1', port: page.port, path: '/events' }, (reply) => {
      let told = '';
      reply.setEncoding('utf8').on('data', (more: string) => {
        told += more;
      });
      reply.on('error', () => {});
      resolve({ status: reply.statusCode, told: () => told });
    });
    asking.on('error', reject);
    ends.push(() => asking.destroy());
  });

describe('the port', () => {
  it('answers on the loopback address alone', async () => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((each) => each?.family === 'IPv4' && !each.internal)?.address;
    if (outside === undefined)
      throw new Error('this machine has no address but loopback, so this cannot be tested here');
    await expect(fetch(`http://${outside}:${page.port}/`)).rejects.toThrow();
    expect((await ask('/')).status).toBe(200);
  });

  it.each(['/', '/app.js', '/style.css', '/icon.svg'])(
    'serves %s under a strict policy, and a second time cheaply',
    async (path) => {
      const { status, headers, body } = await ask(path);
      expect(status).toBe(200);
      const policy = String(headers['content-security-policy']);
      for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "trusted-types 'none'"])
        expect(policy).toContain(rule);
      expect(policy).not.toContain('unsafe');
      expect(body).not.toMatch(/<script>|<style|\son\w+=/);
      const again = await ask(path, { 'if-none-match': String(headers.etag) });
      expect([again.status, again.body]).toEqual([304, '']);
    },
  );

  it('is small on the way', async () => {
    const lengths = await Promise.all(
      ['/', '/app.js', '/style.css', '/icon.svg'].map(
        (path) =>
          new Promise<number>((resolve, reject) => {
            get({ port: page.port, host: '127.0.0.1', path, headers: { 'accept-encoding': 'gzip' } }, (reply) => {
              let bytes = 0;
              reply.on('data', (more: Buffer) => {
                bytes += more.byteLength;
              });
              reply.on('end', () => resolve(bytes));
            }).on('error', reject);
          }),
      ),
    );
    expect(lengths.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(20_000);
  });

  it('refuses names that are not of this machine, pages of others, and whatever is no GET', async () => {
    feed.replace([studio()]);
    for (const host of ['evil.example', 'evil.example:80', 'localhost.evil.example'])
      expect((await ask('/klingapis', { host })).status, host).toBe(421);
    expect((await ask('/klingapis', { host: 'localhost:9091' })).status).toBe(200);
    for (const site of ['cross-site', 'same-site'])
      expect((await ask('/events', { 'sec-fetch-site': site })).status, site).toBe(403);
    expect((await ask('/', { 'sec-fetch-site': 'cross-site' })).status, 'a link that leads here').toBe(200);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'])
      expect((await ask('/klingapis', {}, method)).status, method).toBe(405);
  });

  it('has nothing else, and breaks at nothing', async () => {
    feed.replace([studio()]);
    for (const path of ['/main.ts', '/..%2fserver.ts', '/klingapis/media', '/klingapis/media/nobody', '//', '/%'])
      expect((await ask(path)).status, path).toBe(404);
    expect((await ask('/')).status).toBe(200);
  });
});

describe('what it tells', () => {
  it('waits for the caches', async () => {
    const early = await ask('/klingapis');
    expect([early.status, early.headers['retry-after']]).toEqual([503, '5']);
    const { told } = await follow();
    expect(told()).not.toContain('event: fleet');
    feed.replace([studio()]);
    await expect.poll(told, { timeout: 10_000 }).toContain('event: fleet');
  });

  it('is status and handshakes, nothing else of the spec', async () => {
    feed.replace([studio()]);
    const klingApi = klingApiSchema.parse(studio());
    const own: HandshakeResult = { ...handshakeOf('Failing', 'HttpError'), message: 'a message' };
    page.saw(klingApi, { name: 'studio-mcp-1', uid: 'pod-1' }, own, reportOf({ verdict: 'Serving' }));
    const { body } = await ask('/klingapis/media/studio');
    expect(JSON.parse(body).strips[0].marks).toEqual([
      {
        ...{ at: expect.any(Number), verdict: 'Failing', diagnosis: 'HttpError', tookMs: 3 },
        probe: { verdict: 'Serving', diagnosis: null },
      },
    ]);
    const fleet = await ask('/klingapis');
    for (const told of [body, fleet.body]) {
      expect(told).not.toContain('a-value-of-the-spec');
      expect(told).not.toContain('apiKey');
    }
  });

  it('goes on as a stream: changes, what is gone, and who acts', async () => {
    feed.replace([studio()]);
    const { told } = await follow();
    await expect.poll(told).toMatch(/event: operator\n.*"leading":true.*\n\nevent: fleet\ndata: \[.*"uid-studio"/);
    feed.upsert(studio('2'));
    await expect.poll(told).toContain('event: changed');
    feed.remove(studio('2'));
    await expect.poll(told).toContain('event: gone\ndata: ["uid-studio"]');
    feed.upsert(studio('3', 'uid-again'));
    await expect.poll(told).toContain('"uid":"uid-again"');
    leading = false;
    await expect.poll(told, { timeout: 10_000 }).toContain('"leading":false');
  });

  it('forgets what is gone, also where a look ends later', async () => {
    feed.replace([studio()]);
    const klingApi = klingApiSchema.parse(studio());
    const look = () => page.saw(klingApi, { name: 'studio-mcp-1', uid: 'pod-1' }, handshakeOf('Serving'), null);
    look();
    feed.remove(studio());
    look();
    for (const [version, uid] of [
      ['2', 'uid-again'],
      ['3', 'uid-studio'],
    ]) {
      feed.upsert(studio(version, uid));
      const { body } = await ask('/klingapis/media/studio');
      expect(JSON.parse(body).strips).toEqual([{ pod: 'studio-mcp-1', uid: '', marks: [], present: true }]);
    }
  });

  it('is for a few pages at a time', async () => {
    feed.replace([studio()]);
    const streams = await Promise.all(Array.from({ length: MOST_STREAMS }, follow));
    expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200));
    expect((await ask('/events')).status).toBe(503);
    ends.shift()?.();
    await expect.poll(async () => (await follow()).status).toBe(200);
  });
});
