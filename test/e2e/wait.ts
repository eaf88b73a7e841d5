import { setTimeout as pause } from 'node:timers/promises';

export interface WaitOptions {
  /** Milliseconds until it is given up. */
  timeoutMs?: number;
  everyMs?: number;
  /** What is waited for, for the message. */
  what: string;
}

/**
 * Asks until the answer is neither undefined nor false.
 * @throws Error that names what was waited for and what was seen last
 */
export async function waitFor<T>(
  ask: () => Promise<T | undefined | false>,
  { timeoutMs = 120_000, everyMs = 500, what }: WaitOptions,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = answer;
    } catch (error) {
      last = error instanceof Error ? error.message : error;
    }
    if (Date.now() >= deadline)
      throw new Error(`Waited ${timeoutMs / 1_000} s for ${what}; last seen: ${String(last)}`);
    await pause(everyMs);
  }
}
