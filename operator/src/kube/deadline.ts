/** A signal that aborts at a deadline or with the caller's, and tells which of both it was. */
import type { Clock } from './clock.ts';

export interface Deadline {
  readonly signal: AbortSignal;
  ended(): 'deadline' | 'caller' | null;
  /** In time: the caller's signal alone still counts. */
  met(): void;
  /** Lets go of timer and signal. */
  clear(): void;
}

export function createDeadline(clock: Clock, limitMs: number, caller: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  let ended: 'deadline' | 'caller' | null = null;
  const end = (why: 'deadline' | 'caller') => {
    ended ??= why;
    controller.abort();
  };
  const timer = clock.setTimeout(() => end('deadline'), limitMs);
  const onCaller = () => end('caller');
  if (caller?.aborted === true) onCaller();
  else caller?.addEventListener('abort', onCaller, { once: true });
  return {
    signal: controller.signal,
    ended: () => ended,
    met: () => clock.clearTimeout(timer),
    clear() {
      clock.clearTimeout(timer);
      caller?.removeEventListener('abort', onCaller);
    },
  };
}
