import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createManualClock, settle } from './clock.testing.ts';
import { createQueue, type QueueOptions } from './queue.ts';

/** A queue whose work a test ends by hand. */
function harness(options: Partial<QueueOptions> = {}) {
  const clock = createManualClock();
  const began: string[] = [];
  const open = new Map<string, () => void>();
  const faults: string[] = [];
  const queue = createQueue({
    workers: 2,
    clock,
    onError: (key, error) => faults.push(`${key}: ${String(error)}`),
    ...options,
    work: (key) => {
      if (open.has(key)) faults.push(`${key} ran twice at once`);
      began.push(key);
      return new Promise((resolve) => open.set(key, resolve));
    },
  });
  return {
    clock,
    queue,
    began,
    faults,
    running: () => [...open.keys()],
    async end(key: string) {
      const resolve = open.get(key);
      open.delete(key);
      resolve?.();
      await settle(1);
    },
  };
}

test('a key that waits is one key however often it is added', async () => {
  const { queue, began } = harness();
  for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
  expect(queue.length).toBe(2);
  queue.start();
  await settle(1);
  expect(began).toEqual(['a', 'b']);
});

test('a key added while it runs runs once more, afterwards', async () => {
  const { queue, began, end } = harness();
  queue.start();
  queue.add('a');
  await settle(1);
  queue.add('a');
  queue.add('a');
  expect(began).toEqual(['a']);
  await end('a');
  expect(began).toEqual(['a', 'a']);
  await end('a');
  expect(began).toEqual(['a', 'a']);
});

test('what happened goes before what is only looked at, and a key can be lifted', async () => {
  const { queue, began, end } = harness({ workers: 1 });
  for (const key of ['a', 'b', 'c']) queue.add(key, 'low');
  queue.add('d');
  queue.add('c');
  queue.start();
  await settle(1);
  for (const key of ['d', 'c', 'a', 'b']) await end(key);
  expect(began).toEqual(['d', 'c', 'a', 'b']);
});

test('who is only looked at waits no longer than a minute, however much happens', async () => {
  const { queue, clock, began, end } = harness({ workers: 1 });
  queue.start();
  queue.add('busy');
  queue.add('quiet', 'low');
  await settle(1);
  for (let round = 0; round < 7; round += 1) {
    queue.add('busy');
    await clock.advance(10_000);
    await end('busy');
  }
  expect(began.indexOf('quiet')).toBe(6);
});

test('failures wait longer each time, up to a bound, until they are forgotten', async () => {
  const { queue, clock } = harness({ maxDelayMs: 100 });
  const waits: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    queue.addRateLimited('a');
    waits.push(clock.pending()[0]!);
    await clock.advance(100);
  }
  expect(waits).toEqual([5, 10, 20, 40, 80, 100, 100]);
  expect(queue.retries('a')).toBe(7);
  queue.forget('a');
  queue.addRateLimited('a');
  expect(clock.pending()).toEqual([5]);
});

test('of two delays the earlier counts', async () => {
  const { queue, clock, began, end } = harness();
  queue.start();
  queue.addAfter('a', 5_000);
  queue.addAfter('a', 1_000);
  queue.addAfter('a', 9_000);
  expect(clock.pending()).toEqual([1_000]);
  await clock.advance(999);
  expect(began).toEqual([]);
  await clock.advance(1);
  expect(began).toEqual(['a']);
  await end('a');
  await clock.advance(60_000);
  expect(began).toEqual(['a']);
});

test('work that throws is told of and takes no worker with it', async () => {
  const faults: string[] = [];
  const done: string[] = [];
  const queue = createQueue({
    workers: 1,
    clock: createManualClock(),
    onError: (key, error) => faults.push(`${key}: ${String(error)}`),
    work: async (key) => {
      if (key === 'bad') throw new Error('broken');
      done.push(key);
    },
  });
  queue.add('bad');
  queue.add('good');
  queue.start();
  await settle();
  expect(faults).toEqual(['bad: Error: broken']);
  expect(done).toEqual(['good']);
});

test('shutdown waits for what runs; draining finishes what waits', async () => {
  for (const drain of [false, true]) {
    const { queue, clock, began, end } = harness({ workers: 1 });
    queue.start();
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 1_000);
    await settle(1);
    let down = false;
    const shut = queue.shutDown({ drain }).then(() => {
      down = true;
    });
    queue.add('d');
    queue.addRateLimited('e');
    expect(clock.pending()).toEqual([]);
    await settle(1);
    expect(down).toBe(false);
    await end('a');
    if (drain) {
      expect(down).toBe(false);
      await end('b');
    }
    await shut;
    expect(began).toEqual(drain ? ['a', 'b'] : ['a']);
  }
});

type Command =
  | { do: 'add'; key: string; priority: 'high' | 'low' }
  | { do: 'after'; key: string; ms: number }
  | { do: 'limited'; key: string }
  | { do: 'end'; at: number }
  | { do: 'pass'; ms: number };

const key = fc.constantFrom('a', 'b', 'c', 'd');
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key, priority: fc.constantFrom('high' as const, 'low' as const) }),
  fc.record({ do: fc.constant('after' as const), key, ms: fc.nat(2_000) }),
  fc.record({ do: fc.constant('limited' as const), key }),
  fc.record({ do: fc.constant('end' as const), at: fc.nat(3) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.nat(3_000) }),
);

test('whatever happens: never twice at once, no add lost, never more than the workers', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { maxLength: 40 }),
      fc.integer({ min: 1, max: 3 }),
      async (commands, workers) => {
        const { queue, clock, began, faults, running, end } = harness({ workers });
        queue.start();
        /** Keys that were asked for since they last began. */
        const owed = new Set<string>();
        let counted = 0;
        const settleOwed = () => {
          for (const started of began.slice(counted)) owed.delete(started);
          counted = began.length;
        };
        for (const step of commands) {
          // a key is owed from now on, before the queue may begin it within the same call
          if ('key' in step) owed.add(step.key);
          if (step.do === 'add') queue.add(step.key, step.priority);
          else if (step.do === 'after') queue.addAfter(step.key, step.ms);
          else if (step.do === 'limited') queue.addRateLimited(step.key);
          else if (step.do === 'end') await end(running()[step.at] ?? '');
          else await clock.advance(step.ms);
          await settle(1);
          settleOwed();
          expect(running().length).toBeLessThanOrEqual(workers);
        }
        for (let round = 0; round < 50 && (running().length > 0 || clock.pending().length > 0); round += 1) {
          await clock.advance(10_000);
          for (const left of running()) await end(left);
        }
        settleOwed();
        expect([...owed]).toEqual([]);
        expect(faults).toEqual([]);
        expect(queue.length).toBe(0);
      },
    ),
    { numRuns: 150 },
  );
});

test('adds while running bring exactly one more run', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 20 }), async (adds) => {
      const { queue, began, end } = harness();
      queue.start();
      queue.add('a');
      await settle(1);
      for (let index = 0; index < adds; index += 1) queue.add('a', index % 2 === 0 ? 'low' : 'high');
      await end('a');
      await end('a');
      expect(began).toEqual(['a', 'a']);
    }),
    { numRuns: 20 },
  );
});
