import { beforeEach, expect, test } from 'vitest';
import { createManualClock, type ManualClock } from './clock.testing.ts';
import { KubeError } from './errors.ts';
import { createHealth, type Health } from './health.ts';
import type { ReflectorStatus } from './reflector.ts';

let clock: ManualClock;
let api: () => Promise<void>;
let calls: number;
let pods: ReflectorStatus;
let health: Health;

const away = async () => {
  throw new KubeError({ code: 'Unreachable', message: 'away' });
};

beforeEach(() => {
  clock = createManualClock();
  calls = 0;
  api = async () => {};
  pods = { synced: true, watching: true, lastSyncAt: 0, lastEventAt: 0, downSince: null, lastError: null };
  health = createHealth({
    client: {
      version: async () => {
        calls += 1;
        await api();
        return { gitVersion: 'v1.34.4', major: '1', minor: '34' };
      },
    },
    reflectors: [{ name: 'pods', start: () => {}, stop: async () => {}, status: () => pods }],
    clock,
    readiness: [() => (clock.now() % 2 === 0 ? null : 'an odd moment')],
  });
});

/** Asks like a kubelet, every 10 s. @returns what the last answer said */
async function ask(seconds: number): Promise<readonly string[]> {
  for (let passed = 0; passed < seconds; passed += 10) {
    await clock.advance(10_000);
    await health.live();
  }
  return (await health.live()).problems;
}

test('all is well', async () => {
  expect(await health.live()).toEqual({ ok: true, problems: [] });
  expect(await health.ready()).toEqual({ ok: true, problems: [] });
  expect(calls).toBe(1);
});

test('an API server that is away is not ready, and never a reason to restart', async () => {
  api = away;
  pods = { ...pods, watching: false, downSince: clock.now(), lastError: 'away' };
  expect(await health.ready()).toEqual({ ok: false, problems: ['API server does not answer'] });
  expect(await ask(900)).toEqual([]);
  // it is back: the watch gets its three minutes from now
  api = async () => {};
  expect(await ask(170)).toEqual([]);
  expect(await ask(20)).toEqual(['Watch of pods has been down for 1090 s: away']);
});

test('a watch that stays down while the API server answers is a reason to restart', async () => {
  pods = { ...pods, synced: false, watching: false, downSince: clock.now(), lastError: 'Forbidden' };
  expect(await ask(170)).toEqual([]);
  expect((await health.ready()).problems).toEqual(['Cache of pods has not synced: Forbidden']);
  expect((await ask(20))[0]).toContain('Watch of pods has been down');
  pods = { ...pods, synced: true, watching: true, downSince: null };
  expect(await ask(10)).toEqual([]);
});

test('a cache that is not kept up to date any more is told of', async () => {
  pods = { ...pods, watching: false, downSince: clock.now(), lastError: 'Forbidden' };
  await clock.advance(58_000);
  expect((await health.ready()).problems).toEqual([]);
  await clock.advance(2_000);
  expect((await health.ready()).problems).toEqual(['Cache of pods may be out of date: no watch for 60 s: Forbidden']);
});

test('an API server that refuses us answers all the same, a broken one does not', async () => {
  api = async () => {
    throw new KubeError({ code: 'Forbidden', status: 403, message: 'no' });
  };
  expect((await health.ready()).ok).toBe(true);
  await clock.advance(5_000);
  api = async () => {
    throw new KubeError({ code: 'ServerError', status: 503, message: 'gateway' });
  };
  expect((await health.ready()).problems).toEqual(['API server does not answer']);
});

test('an API server that hangs does not hold liveness up', async () => {
  api = () => new Promise(() => {});
  pods = { ...pods, watching: false, downSince: clock.now(), lastError: 'away' };
  expect(await ask(900)).toEqual([]);
});

test('further conditions count', async () => {
  await clock.advance(1);
  expect((await health.ready()).problems).toEqual(['an odd moment']);
});
