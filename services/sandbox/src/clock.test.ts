import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createClock } from './clock.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the clock of the sandbox', () => {
  it('goes as fast as it is told, and calls what waits by its own time', () => {
    const clock = createClock({ speed: 60 });
    const from = clock.now();
    const called: number[] = [];
    clock.after(60_000, () => called.push(clock.now() - from));
    vi.advanceTimersByTime(999);
    expect(called).toEqual([]);
    vi.advanceTimersByTime(2);
    expect(called).toEqual([60_000]);
    clock.setSpeed(0);
    clock.after(1, () => called.push(-1));
    vi.advanceTimersByTime(100_000);
    expect(called).toHaveLength(1);
    clock.advance(1);
    expect(called).toHaveLength(2);
  });

  it('holds a bounded number of calls while it stands still, and gives up the first due', () => {
    const clock = createClock({ speed: 0 });
    const called: number[] = [];
    for (let at = 1; at <= 20_005; at += 1) clock.after(at, () => called.push(at));
    clock.advance(30_000);
    expect([called.length, called[0], called.at(-1)]).toEqual([20_000, 6, 20_005]);
  });

  it('waits for weeks', () => {
    const clock = createClock();
    let isCalled = false;
    clock.after(30 * 86_400_000, () => {
      isCalled = true;
    });
    vi.advanceTimersByTime(30 * 86_400_000 - 1);
    expect(isCalled).toBe(false);
    vi.advanceTimersByTime(60_001);
    expect(isCalled).toBe(true);
  });

  it('never goes back and forgets nothing, however it is turned', () => {
    const step = fc.oneof(
      fc.record({ speed: fc.constantFrom(0, 0.5, 1, 60, 1000) }),
      fc.record({ advance: fc.nat(100_000) }),
      fc.record({ real: fc.nat(5000) }),
      fc.record({ after: fc.nat(50_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const clock = createClock();
        const due: number[] = [];
        const called: number[] = [];
        let last = clock.now();
        for (const each of steps) {
          if ('speed' in each) clock.setSpeed(each.speed);
          else if ('advance' in each) clock.advance(each.advance);
          else if ('real' in each) vi.advanceTimersByTime(each.real);
          else {
            const at = clock.now() + each.after;
            due.push(at);
            clock.after(each.after, () => called.push(at));
          }
          expect(clock.now()).toBeGreaterThanOrEqual(last);
          last = clock.now();
        }
        clock.advance(10_000_000);
        // Of one instant, the floor of two may differ by one millisecond.
        expect(called.toSorted((a, b) => a - b)).toEqual(due.toSorted((a, b) => a - b));
        for (const [at, time] of called.entries()) expect(time + 1).toBeGreaterThanOrEqual(called[at - 1] ?? 0);
      }),
    );
  });
});
