/** Asks until there is an answer, with a deadline and Ctrl-C. */
import type { Around } from '../command.ts';

/**
 * @param ask undefined means not yet
 * @returns undefined when the time is over
 * @throws the signal's reason when the person has had enough
 */
export async function until<T>(
  { now, pause, signal }: Pick<Around, 'now' | 'pause' | 'signal'>,
  { timeoutMs, everyMs = 700 }: { timeoutMs: number; everyMs?: number },
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (now() >= deadline) return undefined;
    await pause(everyMs, signal);
    signal.throwIfAborted();
  }
}

/** For what is asked of pods themselves: it ends when the time is over, and with Ctrl-C. */
export const within = ({ signal }: Pick<Around, 'signal'>, timeoutMs: number): AbortSignal =>
  AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
