import type { KubernetesObject } from '@kubernetes/client-node';
import { Registry } from 'prom-client';
import { beforeEach, expect, test } from 'vitest';
import { type Cache, createCache, type Feed } from './cache.ts';
import { createManualClock, type ManualClock, settle } from './clock.testing.ts';
import { type Controller, type ControllerOptions, createController, sourceOf } from './controller.ts';
import { KubeError, TerminalError } from './errors.ts';
import { KINDS } from './kinds.ts';
import { createKubeMetrics } from './metrics.ts';

let clock: ManualClock;
let cache: Cache<KubernetesObject>;
let feed: Feed;
let registry: Registry;
let looks: string[];
let logged: string[];
let controller: Controller;
let act: (name: string, signal: AbortSignal) => Promise<{ requeueAfterMs?: number }>;

const object = (name: string, resourceVersion = '1'): KubernetesObject => ({
  metadata: { namespace: 'media', name, uid: name, resourceVersion },
});
const log = (_fields: object, message: string) => logged.push(message);

function make(options: Partial<ControllerOptions> = {}): void {
  registry = new Registry();
  controller = createController({
    name: 'klingapi',
    sources: [
      sourceOf(cache, ({ object: { metadata } }) => [
        { namespace: metadata?.namespace ?? '', name: metadata?.name ?? '' },
      ]),
    ],
    reconcile: ({ namespace, name }, signal) => {
      looks.push(`${namespace}/${name}`);
      return act(name, signal);
    },
    workers: 2,
    clock,
    random: () => 0.5,
    log: { info: log, warn: log, error: log },
    metrics: createKubeMetrics(registry),
    ...options,
  });
}

beforeEach(() => {
  clock = createManualClock();
  cache = createCache({ kind: KINDS.KlingApi });
  feed = cache.feed();
  looks = [];
  logged = [];
  act = async () => ({});
  make();
});

async function started(...names: string[]): Promise<void> {
  feed.replace(names.map((name) => object(name)));
  await controller.start();
  await settle();
}

const metric = async (line: string) => (await registry.metrics()).split('\n').find((entry) => entry.startsWith(line));

test('nothing is looked at before the caches have synced, then everything', async () => {
  const starting = controller.start();
  controller.enqueue({ namespace: 'media', name: 'early' });
  await settle();
  expect(looks).toEqual([]);
  feed.replace([object('a'), object('b')]);
  await starting;
  await settle();
  expect(looks).toEqual(['media/early', 'media/a', 'media/b']);
});

test('a change is looked at, a listed object that did not change is not', async () => {
  await started('a');
  feed.upsert(object('a'));
  feed.upsert(object('a', '2'));
  feed.remove(object('a', '3'));
  await settle();
  // both at once: one look sees both
  expect(looks).toEqual(['media/a', 'media/a']);
});

test('what asks for it is looked at again, and everything at the resync', async () => {
  act = async (name) => (name === 'a' && looks.length < 3 ? { requeueAfterMs: 1_000 } : {});
  await started('a', 'b');
  await clock.advance(1_000);
  expect(looks).toEqual(['media/a', 'media/b', 'media/a']);
  await clock.advance(600_000);
  expect(looks).toHaveLength(5);
  expect(await metric('controller_runtime_reconcile_total{controller="klingapi",result="requeue_after"}')).toMatch(
    / 1$/,
  );
});

test('what happens goes before a look that only asks whether all is well', async () => {
  let release = () => {};
  make({ workers: 1 });
  act = async (name) => {
    if (name === 'long') await new Promise<void>((resolve) => (release = resolve));
    return looks.length <= 3 ? { requeueAfterMs: 1_000, priority: 'low' } : {};
  };
  await started('a', 'b', 'c');
  feed.upsert(object('long'));
  // a, b and c fall due while the one worker is taken; then something happens to d
  await clock.advance(1_000);
  feed.upsert(object('d'));
  release();
  await settle();
  expect(looks.slice(3).map((look) => look.split('/')[1])).toEqual(['long', 'd', 'a', 'b', 'c']);
});

test('a key is looked at no sooner than it may be, and that is no failure', async () => {
  let wait = 700;
  make({ waitMs: () => wait });
  await started('a');
  expect(looks).toEqual([]);
  wait = 0;
  await clock.advance(699);
  expect(looks).toEqual([]);
  await clock.advance(1);
  expect(looks).toEqual(['media/a']);
  expect(await metric('controller_runtime_reconcile_total{controller="klingapi",result="requeue_after"}')).toMatch(
    / 0$/,
  );
});

test('a failure comes again, later each time, until it succeeds', async () => {
  act = async () => {
    if (looks.length !== 4) throw new KubeError({ code: 'ServerError', status: 500, message: 'broken' });
    return {};
  };
  await started('a');
  const waits: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    waits.push(clock.pending()[0]!);
    await clock.advance(clock.pending()[0]!);
  }
  expect(waits).toEqual([5, 10, 20]);
  expect(looks).toHaveLength(4);
  // success ends the growth
  feed.upsert(object('a', '2'));
  await settle();
  expect(clock.pending()[0]).toBe(5);
  expect(await metric('controller_runtime_reconcile_errors_total{controller="klingapi"}')).toMatch(/ 4$/);
  expect(await metric('controller_runtime_reconcile_total{controller="klingapi",result="success"}')).toMatch(/ 1$/);
  expect(await metric('workqueue_retries_total{name="klingapi",controller="klingapi"}')).toMatch(/ 4$/);
});

test('being overtaken is no error', async () => {
  act = async () => {
    if (looks.length === 1) throw new KubeError({ code: 'Conflict', status: 409, message: 'stale' });
    return {};
  };
  await started('a');
  await clock.advance(5);
  expect(looks).toHaveLength(2);
  expect(logged).toContain('Reconcile was overtaken');
  expect(await metric('controller_runtime_reconcile_errors_total{controller="klingapi"}')).toMatch(/ 0$/);
});

test('a terminal error waits for a change', async () => {
  act = async () => {
    throw new TerminalError('the spec contradicts itself');
  };
  await started('a');
  await clock.advance(300_000);
  expect(looks).toHaveLength(1);
  feed.upsert(object('a', '2'));
  await settle();
  expect(looks).toHaveLength(2);
  expect(await metric('controller_runtime_terminal_reconcile_errors_total{controller="klingapi"}')).toMatch(/ 2$/);
});

test('a mistake of the program stops nothing but that look', async () => {
  act = (name) => {
    if (name === 'a') throw new TypeError('undefined is not a function');
    return Promise.resolve({});
  };
  await started('a', 'b');
  expect(looks).toEqual(['media/a', 'media/b']);
  expect(logged).toContain('Reconcile ran into a mistake of the program');
  expect(await metric('controller_runtime_reconcile_panics_total{controller="klingapi"}')).toMatch(/ 1$/);
});

test('a look that takes too long is told so by its signal', async () => {
  act = (_name, signal) =>
    new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new KubeError({ code: 'Aborted', message: 'given up' }))),
    );
  await started('a');
  await clock.advance(29_999);
  expect(await metric('controller_runtime_active_workers')).toMatch(/ 1$/);
  expect(await metric('workqueue_longest_running_processor_seconds')).toMatch(/ 29.999$/);
  await clock.advance(1);
  expect(await metric('controller_runtime_active_workers')).toMatch(/ 0$/);
  expect(await metric('controller_runtime_reconcile_timeouts_total')).toMatch(/ 1$/);
  await clock.advance(5);
  expect(looks).toHaveLength(2);
});

test('stop waits for what runs, and ends it when it takes too long', async () => {
  act = (_name, signal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('given up'))));
  await started('a');
  let down = false;
  const stopped = controller.stop(5_000).then(() => {
    down = true;
  });
  feed.upsert(object('b'));
  await clock.advance(4_999);
  expect(down).toBe(false);
  await clock.advance(1);
  await stopped;
  expect(looks).toEqual(['media/a']);
  expect(clock.pending()).toEqual([]);
});

test('stop before the caches have synced starts nothing afterwards', async () => {
  const starting = controller.start();
  await controller.stop();
  feed.replace([object('a')]);
  await starting;
  await settle();
  expect(looks).toEqual([]);
  expect(clock.pending()).toEqual([]);
});
