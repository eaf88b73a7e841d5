/** How long a reflector waits before it tries again: 0.8 s to 30 s, with jitter, from the start after 2 healthy minutes. */
import type { Clock } from './clock.ts';

const FIRST_MS = 800;
/** Before jitter, which at most doubles it. */
const LONGEST_MS = 15_000;
const HEALTHY_MS = 120_000;

export interface Backoff {
  /** A watch was established. */
  established(): void;
  /** An event came. */
  progressed(): void;
  /** Tries in a row that brought no event. */
  failures(): number;
  /** The next wait is at least this long. */
  notBefore(ms: number | undefined): void;
  /** @returns milliseconds to wait after the try that ended now */
  next(): number;
}

/** @param random from 0 to 1 */
export function createBackoff(clock: Clock, random: () => number): Backoff {
  let tries = 0;
  let barren = 0;
  let healthySince: number | null = null;
  let least = 0;
  return {
    established() {
      healthySince = clock.monotonic();
    },
    progressed() {
      barren = 0;
    },
    failures: () => barren,
    notBefore(ms) {
      least = Math.max(least, ms ?? 0);
    },
    next() {
      if (healthySince !== null && clock.monotonic() - healthySince >= HEALTHY_MS) {
        tries = 0;
        barren = 0;
      }
      healthySince = null;
      const wait = Math.max(least, Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(tries, 30)) * (1 + random()));
      least = 0;
      tries += 1;
      barren += 1;
      return wait;
    },
  };
}
