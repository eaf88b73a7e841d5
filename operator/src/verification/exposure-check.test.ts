/** Handshakes through a public URL, against servers on loopback that a name of the test leads to. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { handshake } from '@klingapi/probe';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startTlsServer } from '../kube/testing/tls-server.ts';
import type { Exposure } from '../resource/status.ts';
import { klingApiOf, T0 } from '../testing.ts';
import { createExposureCheck, type ExposureDeps, type ExposureFollowInput } from './exposure-check.ts';
import { allowedLookup } from './public-addresses.ts';

const KEY = 'Bearer the-credentials-of-the-operator';
const verification = { summary: '3/3', at: new Date(T0).toISOString(), checks: [] };
const input: ExposureFollowInput = { verification, headers: { authorization: KEY }, serving: true, rollingOut: false };
/** As the name service of the test says it: every name is this host. */
const here: LookupFunction = (_name, options, callback) =>
  options.all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});
async function listen(listener: RequestListener, server = createServer()): Promise<number> {
  server.on('request', listener).listen(0, '127.0.0.1');
  servers.push(server as Server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A server that speaks MCP in both eras and writes down which credentials it got. */
function mcp(seen: (string | undefined)[]): RequestListener {
  return async (request, reply) => {
    let body = '';
    for await (const piece of request) body += piece;
    seen.push(request.headers.authorization);
    const { id, method } = JSON.parse(body) as { id: number; method: string };
    const serverInfo = { name: 'stranger-than-fiction', version: '1' };
    const result =
      method === 'initialize'
        ? { protocolVersion: '2025-11-25', capabilities: {}, serverInfo }
        : { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: {}, serverInfo };
    reply.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  };
}

const checkOf = (overrides: Partial<ExposureDeps> = {}) => {
  const done = vi.fn();
  const check = createExposureCheck({
    handshake,
    lookup: here,
    now: () => T0,
    pause: async () => {},
    onDone: done,
    ...overrides,
  });
  return { check, done };
};
const exposing = (expose: Record<string, unknown>, status?: Record<string, unknown>) => klingApiOf({ expose }, status);

/** @returns what a handshake through this URL comes to */
async function resultOf(expose: Record<string, unknown>, overrides: Partial<ExposureDeps> = {}): Promise<Exposure> {
  const { check, done } = checkOf(overrides);
  expect(check.follow(exposing(expose), input)).toBeUndefined();
  await vi.waitFor(() => expect(done).toHaveBeenCalledTimes(1), 20_000);
  const result = check.follow(exposing(expose), input);
  expect(result).toBeDefined();
  return result!;
}

describe('a handshake through the public URL', () => {
  it('passes where MCP answers, and takes no word of the server into the status', async () => {
    const port = await listen(mcp([]));
    const result = await resultOf({ url: `http://kling.example:${port}` });
    expect(result).toEqual({
      url: `http://kling.example:${port}/mcp/v1`,
      result: 'Passed',
      reason: 'HandshakePassed',
      message: `http://kling.example:${port}/mcp/v1 answers MCP`,
      since: new Date(T0).toISOString(),
    });
  });

  it.each<[string, number, string, string, RegExp]>([
    ['a controller without the route', 404, 'Failed', 'RequestRefused', /no route for it/],
    ['a controller without pods', 502, 'Failed', 'HttpError', /no good reply from the MCP pods/],
    ['a page', 200, 'Failed', 'WrongProtocol', /something other than MCP/],
    ['a proxy that wants a login', 401, 'Inconclusive', 'AuthRequired', /asks for credentials/],
    ['a busy one', 429, 'Inconclusive', 'Slow', /busy/],
  ])('says what %s answers, without its words', async (_, status, result, reason, message) => {
    const port = await listen((_request, reply) =>
      reply.writeHead(status, { 'content-type': 'text/html' }).end('<p>the secret of a stranger</p>'),
    );
    const seen = await resultOf({ url: `http://kling.example:${port}` });
    expect(seen).toMatchObject({ result, reason });
    expect(seen.message).toMatch(message);
    expect(JSON.stringify(seen)).not.toContain('secret of a stranger');
  });

  it('follows no redirect', async () => {
    const asked: (string | undefined)[] = [];
    const port = await listen((request, reply) => {
      asked.push(request.url);
      reply.writeHead(307, { location: '/latest/meta-data' }).end();
    });
    expect(await resultOf({ url: `http://kling.example:${port}` })).toMatchObject({
      result: 'Failed',
      reason: 'RequestRefused',
    });
    expect(new Set(asked)).toEqual(new Set(['/mcp/v1']));
  });

  it('sends credentials over https, or to the host of our own Ingress or HTTPRoute, and nowhere else', async () => {
    const seen: (string | undefined)[] = [];
    const answer = mcp(seen);
    const port = await listen(answer);
    const through = vi.fn((options: Parameters<typeof handshake>[0]) =>
      handshake({ ...options, url: options.url.replace(/^https?:\/\/[^/]+/, `http://kling.example:${port}`) }),
    );
    const sent = async (expose: Record<string, unknown>) => {
      seen.length = 0;
      expect((await resultOf(expose, { handshake: through })).result).toBe('Passed');
      return new Set(seen);
    };
    expect(await sent({ url: 'http://stranger.example' })).toEqual(new Set([undefined]));
    expect(await sent({ url: 'http://stranger.example', ingress: { host: 'kling.example' } })).toEqual(
      new Set([undefined]),
    );
    expect(await sent({ ingress: { host: 'kling.example' } })).toEqual(new Set([KEY]));
    expect(await sent({ url: 'https://kling.example' })).toEqual(new Set([KEY]));
    const route = { parentRefs: [{ name: 'edge' }], hostnames: ['a.example', 'kling.example'] };
    expect(await sent({ url: 'http://kling.example', httpRoute: route })).toEqual(new Set([KEY]));
  });

  it.each([
    'http://127.0.0.1:1',
    'http://[::1]:1',
    'http://169.254.169.254',
    'http://0x7f000001:1',
    'http://[::ffff:a9fe:a9fe]',
    'http://localhost:1',
    'http://prometheus',
    'http://prometheus.monitoring.svc:9090',
  ])('never goes to %s', async (url) => {
    const shaken = vi.fn(handshake);
    expect(await resultOf({ url }, { handshake: shaken })).toMatchObject({
      result: 'Inconclusive',
      reason: 'AddressRefused',
    });
    expect(shaken).not.toHaveBeenCalled();
  });

  it('never goes where a name leads to the host itself', async () => {
    const asked: unknown[] = [];
    const port = await listen((request, reply) => void reply.end(String(asked.push(request.url))));
    const resolver = (_name: string, _options: unknown, callback: (error: null, told: unknown) => void) =>
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    const lookup = allowedLookup(resolver as never);
    const result = await resultOf({ url: `http://kling.example:${port}` }, { lookup });
    expect(result).toMatchObject({ result: 'Inconclusive', reason: 'AddressRefused' });
    expect(asked).toEqual([]);
  });

  it('tells what is not reached from inside from what does not work', async () => {
    const port = await listen(() => {});
    servers.pop()?.close();
    expect(await resultOf({ url: `http://kling.example:${port}` })).toMatchObject({
      result: 'Inconclusive',
      reason: 'UnreachableFromCluster',
    });
    const unknown: LookupFunction = (_name, _options, callback) =>
      callback(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }), []);
    const nowhere = await resultOf({ url: 'https://kling.example' }, { lookup: unknown });
    expect(nowhere).toMatchObject({ result: 'Inconclusive', reason: 'NameResolution' });
    expect(nowhere.message).toMatch(/does not resolve from inside the cluster, which says nothing of clients outside/);
  });

  it('tells certificates that others may take from those that nobody takes, and TLS from what is none', async () => {
    const tls = await startTlsServer();
    try {
      const server = tls.kubeConfig().getCurrentCluster()?.server ?? '';
      const url = server.replace('127.0.0.1', 'kling.example');
      expect(await resultOf({ url })).toMatchObject({ result: 'Inconclusive', reason: 'CertificateUntrusted' });
    } finally {
      await tls.close();
    }
    const plain = await listen(mcp([]));
    expect(await resultOf({ url: `https://kling.example:${plain}` })).toMatchObject({
      result: 'Failed',
      reason: 'WrongProtocol',
    });
  });
});

describe('a handshake through the public URL is due', () => {
  const expose = { url: 'https://kling.example' };
  let now = T0;
  const counting = (answers: ('Serving' | 'Failing')[]) => {
    let handshakes = 0;
    const { check, done } = checkOf({
      now: () => now,
      async handshake() {
        const verdict = answers[Math.min(handshakes, answers.length - 1)] ?? 'Serving';
        handshakes += 1;
        const evidence = { status: verdict === 'Serving' ? 200 : 502, error: null };
        return { verdict, diagnosis: verdict === 'Serving' ? null : 'HttpError', evidence } as never;
      },
    });
    return {
      /** @returns handshakes that this look led to, and what it says afterwards */
      async look(klingApi = exposing(expose), more: Partial<ExposureFollowInput> = {}) {
        const [before, calls] = [handshakes, done.mock.calls.length];
        check.follow(klingApi, { ...input, ...more });
        if (handshakes > before) await vi.waitFor(() => expect(done.mock.calls.length).toBeGreaterThan(calls));
        return { handshakes: handshakes - before, result: check.follow(klingApi, { ...input, ...more }) };
      },
    };
  };

  it('after a verification and after a change of expose', async () => {
    const { look } = counting(['Serving']);
    expect(await look(exposing(expose), { verification: undefined })).toMatchObject({ handshakes: 0 });
    expect(await look(exposing(expose), { serving: false })).toMatchObject({ handshakes: 0 });
    expect(await look()).toMatchObject({ handshakes: 1, result: { result: 'Passed' } });
    const later = { ...verification, at: new Date(T0 + 5_000).toISOString() };
    expect(await look(exposing(expose), { verification: later })).toMatchObject({ handshakes: 1 });
    const other = exposing({ ...expose, ingress: { host: 'kling.example', annotations: { a: 'b' } } });
    expect(await look(other, { verification: later })).toMatchObject({ handshakes: 1 });
    expect(await look(klingApiOf(), { verification: later })).toMatchObject({ handshakes: 0, result: undefined });
  });

  it('not while no pod serves; what was seen before then is not claimed for ever', async () => {
    now = T0;
    const { look } = counting(['Serving']);
    const { result } = await look();
    const known = exposing(expose, { exposure: result });
    now += 700_000;
    expect(await look(known, { serving: false })).toMatchObject({ handshakes: 0, result: { result: 'Passed' } });
    now += 600_000;
    const lost = await look(known, { serving: false });
    const since = new Date(now).toISOString();
    expect(lost).toMatchObject({ handshakes: 0, result: { result: 'Inconclusive', reason: 'NotServing', since } });
    now += 30_000;
    const still = exposing(expose, { exposure: lost.result });
    expect((await look(still, { serving: false })).result).toEqual(lost.result);
    expect(await look(still)).toMatchObject({ handshakes: 1, result: { result: 'Passed' } });
  });

  it('not while pods are replaced, unless that stands still', async () => {
    now = T0;
    const { look } = counting(['Serving']);
    await look();
    now += 300_000;
    expect(await look(exposing(expose), { rollingOut: true })).toMatchObject({ handshakes: 0 });
    now += 300_000;
    expect(await look(exposing(expose), { rollingOut: true })).toMatchObject({ handshakes: 1 });
  });

  it('again where the clock was set back', async () => {
    now = T0;
    const { look } = counting(['Serving']);
    await look();
    now -= 3_600_000;
    expect(await look()).toMatchObject({ handshakes: 1 });
  });

  it('a minute after it passed, in case the route was that of before a change, then every ten minutes', async () => {
    now = T0;
    const { look } = counting(['Serving', 'Failing']);
    expect(await look()).toMatchObject({ handshakes: 1, result: { result: 'Passed' } });
    now += 59_000;
    expect(await look()).toMatchObject({ handshakes: 0 });
    now += 1_000;
    expect(await look()).toMatchObject({ handshakes: 1, result: { result: 'Failed' } });

    now = T0;
    const well = counting(['Serving']);
    await well.look();
    now += 60_000;
    expect(await well.look()).toMatchObject({ handshakes: 1 });
    now += 599_000;
    expect(await well.look()).toMatchObject({ handshakes: 0 });
    now += 1_000;
    expect(await well.look()).toMatchObject({ handshakes: 1, result: { result: 'Passed' } });
  });

  it('again while a new route settles, then once a minute, and says since when', async () => {
    now = T0;
    const { look } = counting(['Failing']);
    const first = await look();
    expect(first).toMatchObject({ handshakes: 5, result: { result: 'Failed', since: new Date(T0).toISOString() } });
    now += 59_000;
    expect(await look()).toMatchObject({ handshakes: 0 });
    now += 1_000;
    const stored = exposing(expose, { exposure: first.result });
    expect(await look(stored)).toMatchObject({ handshakes: 1, result: { since: new Date(T0).toISOString() } });
  });

  it('is over with the first that passes', async () => {
    const { look } = counting(['Failing', 'Failing', 'Serving']);
    expect(await look()).toMatchObject({ handshakes: 3, result: { result: 'Passed' } });
  });

  it('and what is stored counts for its own URL only', () => {
    const exposure = {
      url: 'https://old.example/mcp/v1',
      result: 'Passed',
      reason: 'HandshakePassed',
      message: 'm',
      since: new Date(T0).toISOString(),
    };
    const { check } = checkOf();
    expect(check.follow(exposing(expose, { exposure }), { ...input, serving: false })).toBeUndefined();
    const same = { ...exposure, url: 'https://kling.example/mcp/v1' };
    expect(check.follow(exposing(expose, { exposure: same }), { ...input, serving: false })).toEqual(same);
  });
});
