import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createByteGate } from './byte-gate.ts';
import { createLoad, DEFAULT_LOAD_LIMITS, LOAD_CLASSES, type LoadClass } from './load.ts';

const limits = {
  ...{ requests: 3, bodyBytes: 100, roomWithinMs: 10, arrivesWithinMs: 10, waiters: 2, loopDelayMs: 50 },
  ...{ files: 1, callbacks: 2 },
};
const kinds = LOAD_CLASSES;

describe('the load of a process', () => {
  it('never exceeds its bounds, refuses nothing below them, and comes back to nothing', () => {
    const step = fc.oneof(fc.record({ enter: fc.constantFrom(...kinds) }), fc.record({ leave: fc.nat(20) }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const load = createLoad(limits, () => 0);
        const open: { kind: LoadClass; leave: () => void }[] = [];
        const count = (kind: LoadClass) => open.filter((each) => each.kind === kind).length;
        for (const one of steps) {
          if ('leave' in one) {
            const [left] = open.splice(one.leave, 1);
            left?.leave();
            // Twice is once.
            left?.leave();
          } else {
            const busy = count('read') + count('work');
            const fits = {
              ...{ vital: true, read: busy < 6, work: busy < 3, wait: count('wait') < 2 },
              ...{ file: count('file') < 1, callback: count('callback') < 2 },
            }[one.enter];
            const place = load.enter(one.enter);
            expect(typeof place === 'function').toBe(fits);
            if (typeof place === 'function') open.push({ kind: one.enter, leave: place });
          }
          for (const kind of kinds) expect(load.open(kind)).toBe(count(kind));
        }
        for (const { leave } of open) leave();
        expect(kinds.map(load.open)).toEqual(kinds.map(() => 0));
      }),
      { numRuns: 300 },
    );
  });

  it('takes the room from slow bodies before those who wait for it give up', () => {
    expect(DEFAULT_LOAD_LIMITS.arrivesWithinMs).toBeLessThan(DEFAULT_LOAD_LIMITS.roomWithinMs);
  });

  it('takes no work while the event loop is late, but answers reads, waits and health', () => {
    const load = createLoad(limits, () => 51);
    expect(load.enter('work')).toBe('event_loop');
    for (const kind of ['read', 'wait', 'vital'] as const) expect(load.enter(kind)).toBeTypeOf('function');
  });
});

describe('the gate for bytes', () => {
  it('lets through in order, never more than allowed unless one alone, passes over who gave up, and empties', async () => {
    const visitor = fc.record({ bytes: fc.integer({ min: 1, max: 150 }), givesUp: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(visitor, { maxLength: 30 }), async (visitors) => {
        const gate = createByteGate(100);
        const order: number[] = [];
        let most = 0;
        const visits = visitors.map(async ({ bytes, givesUp }, index) => {
          const signal = new AbortController();
          const passing = gate.pass(bytes, signal.signal);
          if (givesUp) signal.abort();
          const leave = await passing;
          if (leave === undefined) {
            expect(givesUp).toBe(true);
            return;
          }
          order.push(index);
          if (gate.inside() > bytes) most = Math.max(most, gate.inside());
          await Promise.resolve();
          leave();
          // Twice is once.
          leave();
        });
        await Promise.all(visits);
        expect(order).toEqual(order.toSorted((a, b) => a - b));
        expect(order).toEqual(expect.arrayContaining(visitors.flatMap(({ givesUp }, at) => (givesUp ? [] : [at]))));
        expect([most <= 100, gate.inside()]).toEqual([true, 0]);
      }),
      { numRuns: 200 },
    );
  });
});
