/** Time as everything in this folder sees it. Tests turn it by hand (`clock.testing.ts`). */

/** What `setTimeout` gave, good for `clearTimeout` only. */
export type Timer = object;

export interface Clock {
  /** Wall clock: milliseconds since 1970. For what is written down. */
  now(): number;
  /** Milliseconds that never jump. For what is measured: a wall clock is set by others. */
  monotonic(): number;
  setTimeout(callback: () => void, delayMs: number): Timer;
  clearTimeout(timer: Timer | undefined): void;
}

/** Node fires a longer timer at once. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, Math.min(Math.max(0, delayMs), LONGEST_MS)),
  clearTimeout: (timer) => {
    // every Timer of this clock came from Node's setTimeout
    if (timer !== undefined) clearTimeout(timer as NodeJS.Timeout);
  },
};

/** @returns after `delayMs`, or at once when `signal` aborts; never rejects */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.setTimeout(end, delayMs);
    signal?.addEventListener('abort', end, { once: true });
  });
}
