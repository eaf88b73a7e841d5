import type { V1Pod } from '@kubernetes/client-node';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Change } from './cache.ts';
import { createClient, type KubeClient } from './client.ts';
import { createManualClock, type ManualClock } from './clock.testing.ts';
import { createInformer, type Informer } from './informer.ts';
import { KINDS } from './kinds.ts';
import { silentLog } from './log.ts';
import { createKubeMetrics, type KubeMetrics } from './metrics.ts';
import {
  type Exchange,
  failure,
  type ScriptedServer,
  type Step,
  startScriptedServer,
  until,
} from './testing/scripted-server.ts';

let server: ScriptedServer;
let client: KubeClient;
let clock: ManualClock;
let informer: Informer<V1Pod>;
let seen: string[];

const pod = (name: string, resourceVersion: string, uid = `uid-${name}`) => ({
  metadata: { name, namespace: 'media', uid, resourceVersion },
});
const listOf =
  (resourceVersion: string, ...items: object[]): Step =>
  (exchange) =>
    exchange.reply(200, { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion }, items });
const added = (name: string, rv: string, uid?: string) => ({ type: 'ADDED', object: pod(name, rv, uid) });

beforeEach(async () => {
  server = await startScriptedServer();
  client = createClient(server.kubeConfig(), { requestTimeoutMs: 2_000 });
  clock = createManualClock();
  seen = [];
  follow();
});

afterEach(async () => {
  await informer.stop();
  await client.close();
  await server.close();
});

function follow(options: { namespaces?: string[]; keepManagers?: string[]; metrics?: KubeMetrics } = {}): void {
  informer = createInformer<V1Pod>({
    client,
    kind: KINDS.Pod,
    namespaces: [],
    labelSelector: 'app.kubernetes.io/name=klingapi',
    clock,
    random: () => 0,
    log: silentLog,
    ...options,
  });
  informer.cache.onChange((change: Change<V1Pod>) => seen.push(`${change.type} ${change.object.metadata?.name}`));
}

const status = () => informer.reflectors[0]!.status();
const names = () => informer.cache.list().map((object) => object.metadata?.name);
const requests = () =>
  server.exchanges.map(({ query }) =>
    query.get('watch') === 'true' ? `WATCH ${query.get('resourceVersion')}` : 'LIST',
  );

/** Waits for the reflector to wait, and lets that time pass. @returns how long it was, in milliseconds */
async function backoff(): Promise<number> {
  await until(() => !status().watching && clock.pending().length === 1 && clock.pending()[0]! <= 30_000);
  const wait = clock.pending()[0]!;
  await clock.advance(wait);
  return wait;
}

/** A watch that a test holds in its hands. */
function held(): { step: Step; watch: () => ReturnType<Exchange['stream']> } {
  let stream: ReturnType<Exchange['stream']> | undefined;
  return {
    step: (exchange) => {
      stream = exchange.stream();
    },
    watch: () => stream!,
  };
}

test('lists in pages, then watches from there with bookmarks and a server timeout', async () => {
  const watch = held();
  server.script(
    (exchange) =>
      exchange.reply(200, { metadata: { resourceVersion: '10', continue: 'more' }, items: [pod('a', '1')] }),
    (exchange) => exchange.reply(200, { metadata: { resourceVersion: '10' }, items: [pod('b', '2')] }),
    watch.step,
  );
  expect(() => informer.cache.list()).toThrow('before its first sync');
  informer.start();
  await informer.cache.whenSynced();
  expect(names()).toEqual(['a', 'b']);
  expect(informer.cache.get('media', 'a')).toMatchObject({ apiVersion: 'v1', kind: 'Pod' });
  await until(() => status().watching);
  const [first, second, third] = server.exchanges;
  expect(first!.path).toBe('/api/v1/pods');
  expect(Object.fromEntries(first!.query)).toEqual({ labelSelector: 'app.kubernetes.io/name=klingapi', limit: '500' });
  expect(second!.query.get('continue')).toBe('more');
  expect(Object.fromEntries(third!.query)).toEqual({
    watch: 'true',
    allowWatchBookmarks: 'true',
    labelSelector: 'app.kubernetes.io/name=klingapi',
    resourceVersion: '10',
    timeoutSeconds: '300',
  });
  watch.watch().send(added('c', '11'), { type: 'DELETED', object: pod('a', '12') });
  await until(() => seen.length === 4);
  expect(seen).toEqual(['Added a', 'Added b', 'Added c', 'Deleted a']);
});

test('a continue token that expired starts the list again, whole', async () => {
  server.script(
    (exchange) =>
      exchange.reply(200, { metadata: { resourceVersion: '10', continue: 'more' }, items: [pod('a', '1')] }),
    (exchange) => exchange.reply(410, failure(410, 'Expired')),
    listOf('20', pod('b', '15')),
  );
  informer.start();
  await informer.cache.whenSynced();
  expect(names()).toEqual(['b']);
  expect(server.exchanges[2]!.query.has('limit')).toBe(false);
});

test('a watch that the server closes is taken up again where it was, never in a tight loop', async () => {
  server.script(listOf('10'));
  server.otherwise((exchange) => exchange.stream().end());
  informer.start();
  expect([await backoff(), await backoff(), await backoff()]).toEqual([800, 1_600, 3_200]);
  await until(() => server.exchanges.length === 5);
  expect(requests()).toEqual(['LIST', 'WATCH 10', 'WATCH 10', 'WATCH 10', 'WATCH 10']);
  const waits = [];
  for (let round = 0; round < 5; round += 1) waits.push(await backoff());
  expect(waits).toEqual([6_400, 12_800, 15_000, 15_000, 15_000]);
});

test('two healthy minutes set the backoff back', async () => {
  const watch = held();
  server.script(
    listOf('10'),
    (exchange) => exchange.stream().end(),
    (exchange) => exchange.stream().end(),
    watch.step,
  );
  informer.start();
  expect([await backoff(), await backoff()]).toEqual([800, 1_600]);
  await until(() => status().watching);
  for (let minute = 0; minute < 3; minute += 1) {
    const before = status().lastSyncAt;
    await clock.advance(60_000);
    watch.watch().send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '11' } } });
    await until(() => status().lastSyncAt !== before);
  }
  watch.watch().end();
  expect(await backoff()).toBe(800);
});

test('a reset connection is replaced', async () => {
  const [first, second] = [held(), held()];
  server.script(listOf('10'), first.step, second.step);
  informer.start();
  await until(() => status().watching);
  first.watch().send(added('a', '11'));
  await until(() => seen.length === 1);
  server.exchanges[1]!.reset();
  await backoff();
  await until(() => status().watching);
  second.watch().send(added('b', '12'));
  await until(() => seen.length === 2);
  expect(requests()).toEqual(['LIST', 'WATCH 10', 'WATCH 11']);
});

test.each([
  [500, 'InternalError'],
  [403, 'Forbidden'],
  [401, 'Unauthorized'],
])('a first list that is answered %i is tried again', async (code, reason) => {
  server.script((exchange) => exchange.reply(code, failure(code, reason)), listOf('10', pod('a', '1')));
  informer.start();
  await backoff();
  await informer.cache.whenSynced();
  expect(names()).toEqual(['a']);
});

test('an API server that comes up later is found', async () => {
  const { port } = server;
  await server.close();
  informer.start();
  await backoff();
  await backoff();
  expect(status()).toMatchObject({ synced: false, watching: false });
  expect(status().lastError).toContain('ECONNREFUSED');
  server = await startScriptedServer(port);
  server.script(listOf('10', pod('a', '1')));
  await backoff();
  await informer.cache.whenSynced();
  expect(names()).toEqual(['a']);
});

test('an expired watch lists anew, and tells what changed meanwhile', async () => {
  const [first, second] = [held(), held()];
  server.script(
    listOf('10', pod('a', '1'), pod('b', '2'), pod('c', '3')),
    first.step,
    listOf('90', pod('b', '2'), pod('c', '80', 'uid-new')),
    second.step,
  );
  informer.start();
  await until(() => status().watching);
  seen = [];
  first.watch().send({ type: 'ERROR', object: failure(410, 'Expired') });
  await backoff();
  await until(() => status().watching);
  expect(requests()).toEqual(['LIST', 'WATCH 10', 'LIST', 'WATCH 90']);
  expect(seen).toEqual(['Deleted a', 'Deleted c', 'Added c']);
});

test('a list that is fetched anew comes in pages too, and replaces nothing before its last page is in', async () => {
  const page = (rv: string, token: string | undefined, ...items: object[]): Step => {
    const metadata = { resourceVersion: rv, ...(token === undefined ? {} : { continue: token }) };
    return (exchange) => exchange.reply(200, { metadata, items });
  };
  const [first, second] = [held(), held()];
  server.script(
    listOf('10', pod('a', '1'), pod('b', '2')),
    first.step,
    page('90', 'more', pod('c', '80')),
    (exchange) => exchange.reply(503, failure(503, 'ServiceUnavailable')),
    page('91', 'more', pod('c', '80')),
    (exchange) => {
      expect(names()).toEqual(['a', 'b']);
      page('91', undefined, pod('d', '81'))(exchange);
    },
    second.step,
  );
  informer.start();
  await until(() => status().watching);
  first.watch().send({ type: 'ERROR', object: failure(410, 'Expired') });
  await backoff();
  await until(() => server.exchanges.length === 4 && status().lastError !== null);
  expect(names()).toEqual(['a', 'b']);
  expect(status().downSince).not.toBeNull();
  await backoff();
  await until(() => status().watching);
  expect(names()).toEqual(['c', 'd']);
  expect(server.exchanges.slice(2).map(({ query }) => query.get('limit') ?? 'watch')).toEqual([
    ...['500', '500', '500', '500'],
    'watch',
  ]);
});

test('a watch that finds nobody is begun again, and the cache says since when it is without one', async () => {
  const watch = held();
  const registry = new Registry();
  follow({ metrics: createKubeMetrics(registry) });
  const down = async () =>
    /klingoperator_reflector_down_seconds\{kind="Pod",watched_namespace=""\} (\S+)/.exec(await registry.metrics())?.[1];
  const { port } = server;
  server.script(listOf('10', pod('a', '1')), watch.step);
  informer.start();
  await until(() => status().watching);
  expect(await down()).toBe('0');
  await server.close();
  await backoff();
  await clock.advance(20_000);
  await until(() => status().lastError?.includes('ECONNREFUSED') === true);
  // what was seen last is what there is to go by, and how old that is can be told
  expect(names()).toEqual(['a']);
  expect(Number(await down())).toBeGreaterThanOrEqual(20);
  await until(() => clock.pending().length === 1);
  server = await startScriptedServer(port);
  // failed so often, it lists anew
  server.script(listOf('20', pod('b', '15')), held().step);
  await backoff();
  await until(() => status().watching);
  expect(await down()).toBe('0');
  expect(names()).toEqual(['b']);
});

test('times are texts, in a list as in a watch', async () => {
  const watch = held();
  const creationTimestamp = '2026-11-24T10:00:00Z';
  const dated = (name: string, rv: string) => ({ metadata: { ...pod(name, rv).metadata, creationTimestamp } });
  server.script(listOf('10', dated('a', '1')), watch.step);
  informer.start();
  await until(() => status().watching);
  watch.watch().send({ type: 'ADDED', object: dated('b', '11') });
  await until(() => names().length === 2);
  expect(informer.cache.list().map(({ metadata }) => metadata?.creationTimestamp)).toEqual([
    creationTimestamp,
    creationTimestamp,
  ]);
});

test('HTTP 410 lists anew, also where that list fails first', async () => {
  server.script(
    listOf('10', pod('a', '1')),
    (exchange) => exchange.reply(410, failure(410, 'Expired')),
    (exchange) => exchange.reply(503, failure(503, 'ServiceUnavailable')),
    (exchange) => exchange.reset(),
    // a reset read is tried once more by the client itself
    (exchange) => exchange.reset(),
    listOf('90', pod('b', '80')),
  );
  informer.start();
  await informer.cache.whenSynced();
  for (let round = 0; round < 3; round += 1) {
    expect(names()).toEqual(['a']);
    await backoff();
  }
  await until(() => names()[0] === 'b');
});

test('a connection that falls silent is cut after 90 seconds', async () => {
  const [first, second] = [held(), held()];
  server.script(listOf('10'), first.step, second.step);
  informer.start();
  await until(() => status().watching);
  await clock.advance(89_000);
  expect(status().watching).toBe(true);
  await clock.advance(1_000);
  await until(() => !status().watching);
  expect(status()).toMatchObject({ lastError: 'Watch was cut after 90 s of silence', downSince: clock.now() });
  await until(() => first.watch().closed());
  await backoff();
  await until(() => status().watching);
  expect(status().downSince).toBeNull();
  expect(requests()).toEqual(['LIST', 'WATCH 10', 'WATCH 10']);
});

test('a server that feeds the watch past its own time limit is cut', async () => {
  const watch = held();
  server.script(listOf('10'), watch.step);
  informer.start();
  await until(() => status().watching);
  for (let round = 0; round < 5; round += 1) {
    await clock.advance(60_000);
    watch.watch().send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: `${20 + round}` } } });
    await until(() => status().lastSyncAt === clock.now());
  }
  expect(status().watching).toBe(true);
  await clock.advance(30_000);
  await until(() => !status().watching);
  expect(status().lastError).toContain('did not end it in time');
});

test('a listener that throws stops nothing', async () => {
  const watch = held();
  informer.cache.onChange(() => {
    throw new Error('a listener of this test');
  });
  server.script(listOf('10', pod('a', '1')), watch.step);
  informer.start();
  await until(() => status().watching);
  watch.watch().send(added('b', '11'));
  await until(() => names().length === 2);
  expect(server.exchanges).toHaveLength(2);
});

test('bookmarks carry a quiet watch on', async () => {
  const [first, second] = [held(), held()];
  server.script(listOf('10'), first.step, second.step);
  informer.start();
  await until(() => status().watching);
  first
    .watch()
    .send({ type: 'BOOKMARK', object: { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: '500' } } });
  first.watch().end();
  await backoff();
  await until(() => status().watching);
  expect(requests()).toEqual(['LIST', 'WATCH 10', 'WATCH 500']);
  expect(seen).toEqual([]);
});

test('stop ends the watch and whatever waits', async () => {
  const watch = held();
  server.script(listOf('10'), watch.step);
  informer.start();
  await until(() => status().watching);
  await informer.stop();
  await until(() => watch.watch().closed());
  expect(clock.pending()).toEqual([]);
  expect(server.exchanges).toHaveLength(2);
  expect(status().lastError).toBeNull();
});

test('stop ends a backoff', async () => {
  server.script((exchange) => exchange.reply(500, failure(500, 'InternalError')));
  informer.start();
  await until(() => clock.pending().length === 1);
  await informer.stop();
  expect(clock.pending()).toEqual([]);
});

test('an object that was deleted and made anew under its name is both', async () => {
  const watch = held();
  server.script(listOf('10', pod('a', '1', 'uid-old')), watch.step);
  informer.start();
  await until(() => status().watching);
  watch.watch().send({ type: 'MODIFIED', object: pod('a', '12', 'uid-new') });
  await until(() => seen.length === 3);
  expect(seen).toEqual(['Added a', 'Deleted a', 'Added a']);
});

test('lines may be cut anywhere, and the last one may be missing', async () => {
  const [first, second] = [held(), held()];
  server.script(listOf('10'), first.step, second.step);
  informer.start();
  await until(() => status().watching);
  const line = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: { ...pod('ä', '11'), note: 'ü€😀' } })}\n`);
  const socket = server.exchanges[1]!.socket;
  for (const byte of line)
    socket.write(Buffer.concat([Buffer.from('1\r\n'), Buffer.from([byte]), Buffer.from('\r\n')]));
  await until(() => seen.length === 1);
  expect(informer.cache.get('media', 'ä')).toMatchObject({ note: 'ü€😀' });
  first.watch().raw('{"type":"ADDED","object":{"metadata":');
  first.watch().end();
  await backoff();
  await until(() => status().watching);
  expect(requests()).toEqual(['LIST', 'WATCH 10', 'WATCH 11']);
});

test('a line that is no event lists anew', async () => {
  const watch = held();
  server.script(listOf('10'), watch.step, listOf('20', pod('a', '15')));
  informer.start();
  await until(() => status().watching);
  watch.watch().raw('<html>\n');
  await backoff();
  await until(() => names()[0] === 'a');
});

test('a watch refused again and again is doubted: its resourceVersion may be of another etcd', async () => {
  server.script(listOf('9000'));
  server.otherwise((exchange) =>
    exchange.reply(504, failure(504, 'Timeout', 'Too large resource version: 9000, current: 12')),
  );
  informer.start();
  await informer.cache.whenSynced();
  for (let round = 0; round < 5; round += 1) await backoff();
  await until(() => requests().length === 7);
  expect(requests().slice(0, 2)).toEqual(['LIST', 'WATCH 9000']);
  expect(requests()[6]).toBe('LIST');
});

test('an API server that asks for time gets it', async () => {
  server.script(
    listOf('10'),
    (exchange) => exchange.reply(429, failure(429, 'TooManyRequests'), { 'retry-after': '20' }),
    held().step,
  );
  informer.start();
  await informer.cache.whenSynced();
  expect(await backoff()).toBe(20_000);
  await until(() => status().watching);
});

test("others' field ownership is dropped, ours is kept", async () => {
  follow({ namespaces: ['media'], keepManagers: ['klingapi-operator'] });
  const managedFields = [{ manager: 'kubelet' }, { manager: 'klingapi-operator', operation: 'Apply' }];
  server.script(
    listOf(
      '10',
      { metadata: { ...pod('a', '1').metadata, managedFields } },
      { metadata: { ...pod('b', '1').metadata, managedFields: [{ manager: 'x' }] } },
    ),
  );
  informer.start();
  await informer.cache.whenSynced();
  expect(server.exchanges[0]!.path).toBe('/api/v1/namespaces/media/pods');
  expect(informer.cache.get('media', 'a')?.metadata?.managedFields).toEqual([
    { manager: 'klingapi-operator', operation: 'Apply' },
  ]);
  expect(informer.cache.get('media', 'b')?.metadata).not.toHaveProperty('managedFields');
});

test('several namespaces make one cache, synced when all of them are', async () => {
  follow({ namespaces: ['media', 'other'] });
  let answerOther = () => {};
  server.otherwise((exchange) => {
    if (exchange.query.get('watch') === 'true') {
      exchange.stream();
      return;
    }
    const name = exchange.path.split('/')[4]!;
    const answer = () =>
      listOf('10', { metadata: { name, namespace: name, uid: name, resourceVersion: '1' } })(exchange);
    if (name === 'other') answerOther = answer;
    else answer();
  });
  informer.start();
  await until(() => server.exchanges.filter(({ query }) => query.get('watch') === 'true').length === 1);
  expect(informer.cache.synced).toBe(false);
  answerOther();
  await informer.cache.whenSynced();
  expect(names().sort()).toEqual(['media', 'other']);
  expect(informer.cache.list('other')).toHaveLength(1);
});
