import { setTimeout as pause } from 'node:timers/promises';

/**
 * Asks again and again until the answer is something other than undefined.
 * An exception counts as "not yet" and is told when time is up.
 * @param deadlineMs how long to go on, in milliseconds
 * @param giveUp throws when waiting has become pointless
 */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  deadlineMs: number,
  giveUp: () => void = () => {},
): Promise<T> {
  const end = performance.now() + deadlineMs;
  let last: unknown;
  do {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    giveUp();
    await pause(100);
  } while (performance.now() < end);
  throw new Error(`Waited ${Math.round(deadlineMs / 1000)} s in vain for ${what}`, { cause: last });
}
