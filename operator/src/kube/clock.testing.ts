/** A clock that stands still until a test turns it. */
import type { Clock, Timer } from './clock.ts';

export interface ManualClock extends Clock {
  /**
   * Moves time on, firing every timer on its way in order. After each one pending promises run, so that timers which they
   * set within the span fire as well.
   */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock by so much, as whoever keeps the time of a machine does; what is measured stays. */
  jump(ms: number): void;
  /** Time goes on, yet no timer fires before the next `advance`: the process stood still. */
  freeze(ms: number): void;
  /** Milliseconds until each pending timer, in order. */
  pending(): number[];
}

/** Lets promises and sockets move without moving time. */
export const settle = async (turns = 5): Promise<void> => {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** @param start wall clock at the beginning, in milliseconds since 1970 */
export function createManualClock(start = Date.parse('2026-11-24T10:00:00Z')): ManualClock {
  let elapsed = 0;
  let jumped = 0;
  let serial = 0;
  const timers = new Set<{ at: number; serial: number; callback: () => void }>();
  const inOrder = () => [...timers].sort((a, b) => a.at - b.at || a.serial - b.serial);
  return {
    now: () => start + elapsed + jumped,
    monotonic: () => elapsed,
    setTimeout(callback, delayMs) {
      serial += 1;
      const timer = { at: elapsed + Math.max(0, delayMs), serial, callback };
      timers.add(timer);
      return timer;
    },
    clearTimeout(timer: Timer | undefined) {
      for (const entry of timers) if (entry === timer) timers.delete(entry);
    },
    jump(ms) {
      jumped += ms;
    },
    freeze(ms) {
      elapsed += ms;
    },
    async advance(ms) {
      const until = elapsed + ms;
      await settle();
      for (let next = inOrder()[0]; next !== undefined && next.at <= until; next = inOrder()[0]) {
        elapsed = Math.max(elapsed, next.at);
        timers.delete(next);
        next.callback();
        await settle();
      }
      elapsed = until;
    },
    pending: () => inOrder().map((timer) => timer.at - elapsed),
  };
}
