import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createClient, type KubeClient } from './client.ts';
import { createManualClock } from './clock.testing.ts';
import { isAlreadyExists, isConflict, isForbidden, isInvalid, isNotFound, type KubeError } from './errors.ts';
import { KINDS } from './kinds.ts';
import { createKubeMetrics } from './metrics.ts';
import { failure, kubeConfigOf, type ScriptedServer, startScriptedServer, until } from './testing/scripted-server.ts';
import { startTlsServer } from './testing/tls-server.ts';

const POD = { apiVersion: 'v1', kind: 'Pod', namespace: 'media', name: 'studio-mcp-1' };
const registry = new Registry();
let server: ScriptedServer;
let client: KubeClient;

beforeEach(async () => {
  server = await startScriptedServer();
  registry.clear();
  client = createClient(server.kubeConfig(), {
    requestTimeoutMs: 1_000,
    userAgent: 'kling-operator/0.1.0',
    metrics: createKubeMetrics(registry),
  });
});

afterEach(async () => {
  await client.close();
  await server.close();
});

const last = () => server.exchanges.at(-1)!;
const failed = (promise: Promise<unknown>): Promise<KubeError> =>
  promise.then(
    () => Promise.reject(new Error('did not fail')),
    (error: KubeError) => error,
  );

test('two thousand reads need few connections', async () => {
  server.otherwise((exchange) => exchange.reply(200, { kind: 'Pod', metadata: { name: 'studio-mcp-1' } }));
  for (let batch = 0; batch < 200; batch += 1) await Promise.all(Array.from({ length: 10 }, () => client.get(POD)));
  expect(server.exchanges).toHaveLength(2_000);
  // undici frees a connection a moment after its reply: at most two for each call at a time
  expect(server.connections()).toBeLessThanOrEqual(20);
  expect(last().path).toBe('/api/v1/namespaces/media/pods/studio-mcp-1');
  expect(last().headers).toMatchObject({ authorization: 'Bearer a-token', 'user-agent': 'kling-operator/0.1.0' });
});

test('over TLS as well: reads, writes and watches of one process share a few connections, and all of them end', async () => {
  const secure = await startTlsServer();
  const own = createClient(secure.kubeConfig(), { requestTimeoutMs: 10_000 });
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'media', name: 'p' } };
  try {
    for (let batch = 0; batch < 40; batch += 1)
      await Promise.all([
        ...Array.from({ length: 5 }, () => own.get(POD)),
        ...Array.from({ length: 5 }, () => own.apply(object, { fieldManager: 'test' })),
      ]);
    expect(secure.connections()).toBeLessThanOrEqual(20);
    expect(secure.connections()).toBeGreaterThan(0);
    await own.close();
    await until(() => secure.openConnections() === 0);
  } finally {
    await own.close();
    await secure.close();
  }
}, 30_000);

test('close ends every connection', async () => {
  server.otherwise((exchange) => exchange.reply(200, { metadata: {} }));
  await client.get(POD);
  await client.close();
  await until(() => server.openConnections() === 0);
});

test('a server-side apply goes out as one, to the subresource that is named', async () => {
  server.otherwise((exchange) => exchange.reply(200, { ...JSON.parse(exchange.body), metadata: { uid: 'u' } }));
  const object = {
    apiVersion: 'klingapi.dev/v1alpha1',
    kind: 'KlingApi',
    metadata: { namespace: 'media', name: 'studio' },
    status: { a: 1 },
  };
  const applied = await client.apply(object, {
    fieldManager: 'klingapi-operator',
    force: true,
    subresource: 'status',
    dryRun: true,
  });
  expect(applied).toMatchObject({ metadata: { uid: 'u' }, status: { a: 1 } });
  expect(last()).toMatchObject({
    method: 'PATCH',
    path: '/apis/klingapi.dev/v1alpha1/namespaces/media/klingapis/studio/status',
    headers: { 'content-type': 'application/apply-patch+yaml' },
  });
  expect(JSON.parse(last().body)).toEqual(object);
  expect(Object.fromEntries(last().query)).toEqual({ fieldManager: 'klingapi-operator', force: 'true', dryRun: 'All' });
  await client.apply(object, { fieldManager: 'klingapi-operator' });
  expect(Object.fromEntries(last().query)).toEqual({ fieldManager: 'klingapi-operator' });
});

test('a merge patch goes out as one', async () => {
  server.otherwise((exchange) => exchange.reply(200, { metadata: { uid: 'u' } }));
  const ref = { apiVersion: 'v1', kind: 'Service', namespace: 'media', name: 'studio-mcp' };
  const change = { spec: { ports: [{ name: 'http', port: 5510 }] } };
  expect(await client.mergePatch(ref, change, { fieldManager: 'me' })).toEqual({ metadata: { uid: 'u' } });
  expect(last()).toMatchObject({
    method: 'PATCH',
    path: '/api/v1/namespaces/media/services/studio-mcp',
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  expect(JSON.parse(last().body)).toEqual(change);
  expect(Object.fromEntries(last().query)).toEqual({ fieldManager: 'me' });
});

test('create, replace and delete', async () => {
  server.otherwise((exchange) => exchange.reply(200, exchange.body === '' ? {} : JSON.parse(exchange.body)));
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'media', name: 's', resourceVersion: '7' },
  };
  await client.create(secret);
  expect(last()).toMatchObject({ method: 'POST', path: '/api/v1/namespaces/media/secrets' });
  await client.replace(secret);
  expect(last()).toMatchObject({ method: 'PUT', path: '/api/v1/namespaces/media/secrets/s' });
  await client.delete(POD, { uid: 'u-1', gracePeriodSeconds: 0, propagationPolicy: 'Background' });
  expect(last()).toMatchObject({ method: 'DELETE', path: '/api/v1/namespaces/media/pods/studio-mcp-1' });
  expect(JSON.parse(last().body)).toEqual({
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid: 'u-1' },
    propagationPolicy: 'Background',
    gracePeriodSeconds: 0,
  });
});

test('the log of a container, its version and what it serves', async () => {
  server.script(
    (exchange) => exchange.reply(200, 'no JSON needed'),
    (exchange) => exchange.reply(200, { gitVersion: 'v1.34.4', major: '1', minor: '34', platform: 'linux/amd64' }),
    (exchange) =>
      exchange.reply(200, {
        resources: [{ name: 'pods/log', kind: 'Pod', namespaced: true, verbs: ['get'], singularName: '' }],
      }),
    (exchange) => exchange.reply(404, failure(404, 'NotFound')),
  );
  expect(
    await client.podLog({
      namespace: 'media',
      pod: 'p',
      container: 'mcp',
      tailLines: 40,
      limitBytes: 1024,
      sinceSeconds: 75,
      previous: true,
    }),
  ).toBe('"no JSON needed"');
  expect(last().path).toBe('/api/v1/namespaces/media/pods/p/log');
  expect(Object.fromEntries(last().query)).toEqual({
    container: 'mcp',
    tailLines: '40',
    limitBytes: '1024',
    sinceSeconds: '75',
    previous: 'true',
  });
  expect(await client.version()).toEqual({ gitVersion: 'v1.34.4', major: '1', minor: '34' });
  expect(await client.discover('v1')).toEqual([{ name: 'pods/log', kind: 'Pod', namespaced: true, verbs: ['get'] }]);
  expect(await client.discover('autoscaling/v3')).toEqual([]);
  expect(last().path).toBe('/apis/autoscaling/v3');
});

test.each([
  [409, 'Conflict', isConflict, true],
  [409, 'AlreadyExists', isAlreadyExists, false],
  [404, 'NotFound', isNotFound, false],
  [403, 'Forbidden', isForbidden, false],
  [422, 'Invalid', isInvalid, false],
] as const)('HTTP %i %s is told apart', async (status, reason, is, retryable) => {
  server.otherwise((exchange) =>
    exchange.reply(status, { ...failure(status, reason), details: { causes: [{ field: 'spec.mcp' }] } }),
  );
  const error = await failed(
    client.create({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'media', name: 'p' } }),
  );
  expect(is(error)).toBe(true);
  expect(error).toMatchObject({
    status,
    reason,
    code: reason,
    retryable,
    message: `${reason} for this test`,
    details: { causes: [{ field: 'spec.mcp' }] },
  });
  expect(server.exchanges).toHaveLength(1);
});

test('a call that hangs ends at its deadline, a call that is given up at once', async () => {
  expect(await failed(client.get(POD, { timeoutMs: 50 }))).toMatchObject({
    code: 'Timeout',
    status: 0,
    retryable: true,
  });
  const controller = new AbortController();
  const error = failed(client.get(POD, { signal: controller.signal }));
  await until(() => server.exchanges.length === 2);
  controller.abort();
  expect(await error).toMatchObject({ code: 'Aborted', retryable: false });
  await until(() => server.openConnections() === 0);
});

test('a body that stops half way ends at the deadline too', async () => {
  server.otherwise((exchange) => exchange.stream().raw('{"metadata":'));
  expect(await failed(client.get(POD, { timeoutMs: 50 }))).toMatchObject({ code: 'Timeout' });
});

test('an API server that is not there, and one that talks nonsense', async () => {
  server.script((exchange) => {
    exchange.stream().end();
  });
  expect(await failed(client.get(POD))).toMatchObject({ code: 'Malformed', retryable: true });
  await server.close();
  const error = await failed(client.get(POD));
  expect(error).toMatchObject({ code: 'Unreachable', status: 0, retryable: true });
  expect(error.message).toContain('ECONNREFUSED');
  expect(JSON.stringify([error.message, String(error.cause)])).not.toContain('a-token');
});

test('reads come again when a 429 says so, writes are left to the caller', async () => {
  const busy =
    (after: string) =>
    (exchange: { reply: (status: number, body: unknown, headers: Record<string, string>) => void }) =>
      exchange.reply(429, failure(429, 'TooManyRequests'), { 'retry-after': after });
  server.script(busy('0'), busy('0'), (exchange) => exchange.reply(200, { metadata: { name: 'p' } }));
  expect(await client.get(POD)).toMatchObject({ metadata: { name: 'p' } });
  server.script(busy('3'));
  const error = await failed(client.delete(POD));
  expect(error).toMatchObject({ code: 'TooManyRequests', retryAfterMs: 3_000, retryable: true });
  // longer than the deadline allows: not even begun
  server.script(busy('30'));
  expect(await failed(client.get(POD))).toMatchObject({ code: 'TooManyRequests', retryAfterMs: 30_000 });
  expect(server.exchanges).toHaveLength(5);
});

test('a read on a connection that was just closed is tried once more, a write is not', async () => {
  server.script(
    (exchange) => exchange.reset(),
    (exchange) => exchange.reply(200, { metadata: { name: 'p' } }),
  );
  expect(await client.get(POD)).toMatchObject({ metadata: { name: 'p' } });
  server.script((exchange) => exchange.reset());
  expect(await failed(client.delete(POD))).toMatchObject({ code: 'Unreachable' });
  expect(server.exchanges).toHaveLength(3);
});

test('a read that is reset for ever is given up', async () => {
  server.otherwise((exchange) => exchange.reset());
  expect(await failed(client.get(POD))).toMatchObject({ code: 'Unreachable' });
  expect(server.exchanges).toHaveLength(2);
});

test('who stops reading a watch lets its connection go', async () => {
  let closed = () => false;
  server.otherwise((exchange) => {
    const stream = exchange.stream();
    closed = stream.closed;
    stream.send({ type: 'ADDED', object: { metadata: { name: 'p' } } });
  });
  const { signal } = new AbortController();
  for await (const event of client.watch(KINDS.Pod, { resourceVersion: '1', timeoutSeconds: 300, signal })) {
    expect(event.object.metadata?.name).toBe('p');
    break;
  }
  await until(() => closed());
});

test('a watch that gets no head ends at the deadline, one that has it does not', async () => {
  const clock = createManualClock();
  const timed = createClient(server.kubeConfig(), { requestTimeoutMs: 1_000, clock });
  const caller = new AbortController();
  const options = { resourceVersion: '1', timeoutSeconds: 300, signal: caller.signal };
  const headless = failed(timed.watch(KINDS.Pod, options).next());
  await until(() => server.exchanges.length === 1);
  await clock.advance(1_000);
  expect(await headless).toMatchObject({ code: 'Timeout' });
  server.script((exchange) => exchange.reply(410, failure(410, 'Expired')));
  expect(await failed(timed.watch(KINDS.Pod, options).next())).toMatchObject({ code: 'Gone' });
  expect(clock.pending()).toEqual([]);
  let send = (_event: object): void => {};
  server.otherwise((exchange) => {
    send = exchange.stream().send;
  });
  let head = false;
  const watch = timed.watch(KINDS.Pod, { ...options, onBytes: () => (head = true) });
  const next = watch.next();
  await until(() => head);
  await clock.advance(60_000);
  send({ type: 'ADDED', object: { metadata: { name: 'p' } } });
  expect((await next).value?.object.metadata?.name).toBe('p');
  const last = failed(watch.next());
  caller.abort();
  expect(await last).toMatchObject({ code: 'Aborted' });
  expect(clock.pending()).toEqual([]);
  await timed.close();
});

test('every call is counted', async () => {
  server.script(
    (exchange) => exchange.reply(200, { metadata: {} }),
    (exchange) => exchange.reply(404, failure(404, 'NotFound')),
  );
  await client.get(POD);
  await failed(client.get(POD));
  await failed(client.get(POD, { timeoutMs: 30 }));
  const text = await registry.metrics();
  const host = new URL(server.url).host;
  for (const code of ['200', '404', '<error>'])
    expect(text).toContain(`rest_client_requests_total{code="${code}",method="GET",host="${host}"} 1`);
  expect(text).toContain(`rest_client_request_duration_seconds_count{verb="GET",host="${host}"} 3`);
});

test('a rotated service account token is picked up', async () => {
  const root = mkdtempSync(join(tmpdir(), 'kling-token-'));
  const folder = join(root, 'var/run/secrets/kubernetes.io/serviceaccount');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'token'), 'first');
  vi.stubEnv('KUBERNETES_SERVICE_HOST', '127.0.0.1');
  vi.stubEnv('KUBERNETES_SERVICE_PORT', String(server.port));
  const config = new KubeConfig();
  config.loadFromCluster(root);
  const { caFile: _, ...cluster } = config.clusters[0]!;
  config.clusters = [{ ...cluster, server: server.url, skipTLSVerify: true }];
  const inCluster = createClient(config);
  try {
    server.otherwise((exchange) => exchange.reply(200, { metadata: {} }));
    await inCluster.get(POD);
    expect(last().headers.authorization).toBe('Bearer first');
    writeFileSync(join(folder, 'token'), 'second');
    // client-node reads the file again when what it has is a minute old; its clock is Date's
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    await inCluster.get(POD);
    expect(last().headers.authorization).toBe('Bearer second');
    expect(server.connections()).toBeLessThanOrEqual(2);
  } finally {
    vi.useRealTimers();
    vi.unstubAllEnvs();
    await inCluster.close();
    rmSync(root, { recursive: true });
  }
});

test('HTTP/2 is not even offered: a dead connection would be shared by all calls', async () => {
  let hello = Buffer.alloc(0);
  const listener = createServer((socket) => {
    socket.once('data', (bytes) => {
      hello = bytes;
      socket.destroy();
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const secure = createClient(kubeConfigOf(`https://127.0.0.1:${(listener.address() as AddressInfo).port}`));
  expect(await failed(secure.get(POD))).toMatchObject({ code: 'Unreachable' });
  // the names of a ClientHello's ALPN extension, each after its length
  expect(hello.includes(Buffer.from('\x08http/1.1'))).toBe(true);
  expect(hello.includes(Buffer.from('\x02h2'))).toBe(false);
  await secure.close();
  await new Promise((resolve) => listener.close(resolve));
});

test.each(['', '.', '..'])('%j is no name: it would make a list of everything out of one object', async (name) => {
  for (const ref of [
    { ...POD, name },
    { ...POD, namespace: name },
  ])
    expect(await failed(client.get(ref))).toMatchObject({ code: 'Invalid' });
  expect(await failed(client.list(KINDS.Pod, { namespace: name }))).toMatchObject({ code: 'Invalid' });
  expect(server.exchanges).toEqual([]);
});

test('a kind that is not in the table is a mistake of ours', async () => {
  await expect(client.get({ ...POD, kind: 'Sprocket' })).rejects.toThrow(
    'Kind v1 Sprocket is not in operator/src/kube/kinds.ts',
  );
});
