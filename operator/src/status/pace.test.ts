/** However often something happens, a resource's status is written once a second, and a record never waits for its turn. */
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createManualClock, settle } from '../kube/clock.testing.ts';
import { createController } from '../kube/controller.ts';
import { silentLog } from '../kube/log.ts';
import { createKubeMetrics } from '../kube/metrics.ts';
import { createPace } from './pace.ts';

const keys = ['a', 'b'].map((name) => ({ namespace: 'media', name }));
/** Something changes, some of it asks for a repair, and time passes. */
const happening = fc.record({
  key: fc.nat(1),
  what: fc.constantFrom('change', 'failure', 'nothing'),
  ms: fc.nat(700),
});

it('writes of one resource are a second apart, none is lost, and each deletion follows its record at once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 40 }), async (happenings) => {
      const clock = createManualClock();
      const pace = createPace(clock);
      const state = new Map(keys.map(({ name }) => [name, { version: 0, written: 0, failing: false }]));
      const log: { name: string; what: 'record' | 'write' | 'delete'; at: number }[] = [];
      const controller = createController({
        name: 'test',
        sources: [],
        async reconcile(key) {
          const one = state.get(key.name)!;
          const at = clock.monotonic();
          if (one.version === one.written && !one.failing) return {};
          log.push({ name: key.name, what: one.failing ? 'record' : 'write', at });
          pace.wrote(key);
          one.written = one.version;
          if (one.failing) log.push({ name: key.name, what: 'delete', at });
          one.failing = false;
          return {};
        },
        workers: 2,
        waitMs: pace.waitMs,
        clock,
        random: () => 0.5,
        log: silentLog,
        metrics: createKubeMetrics(new Registry()),
      });
      await controller.start();
      for (const { key, what, ms } of happenings) {
        const one = state.get(keys[key]!.name)!;
        if (what !== 'nothing') one.version += 1;
        if (what === 'failure') one.failing = true;
        controller.enqueue(keys[key]!);
        await clock.advance(ms);
      }
      await clock.advance(1_000);
      for (const { name } of keys) {
        const own = log.filter((entry) => entry.name === name);
        const writes = own.filter(({ what }) => what !== 'delete').map(({ at }) => at);
        expect(writes.every((at, index) => index === 0 || at - writes[index - 1]! >= 1_000)).toBe(true);
        expect(state.get(name)!.written).toBe(state.get(name)!.version);
        for (const [index, entry] of own.entries())
          if (entry.what === 'delete') expect(own[index - 1]).toEqual({ ...entry, what: 'record' });
      }
      await controller.stop();
    }),
    { numRuns: 40 },
  );
});

it('a first write waits for nothing, and resources do not wait for each other', async () => {
  const clock = createManualClock();
  const pace = createPace(clock);
  expect(pace.waitMs(keys[0]!)).toBe(0);
  pace.wrote(keys[0]!);
  await clock.advance(400);
  pace.wrote(keys[1]!);
  expect(keys.map(pace.waitMs)).toEqual([600, 1_000]);
  await clock.advance(600);
  expect(keys.map(pace.waitMs)).toEqual([0, 400]);
  await settle();
});
