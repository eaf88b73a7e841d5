/** Cuts a connection that has fallen silent: a half-open one never ends by itself. */
import type { Clock, Timer } from './clock.ts';
import { KubeError } from './errors.ts';

export interface Watchdog {
  /** Aborts when the watchdog bites or the caller's signal does. */
  readonly signal: AbortSignal;
  fed(): void;
  /** Why the watchdog bit; undefined where it did not. */
  cut(): KubeError | undefined;
  stop(): void;
}

/** @param silenceMs longest time without bytes; @param lifetimeMs longest time at all */
export function createWatchdog(clock: Clock, silenceMs: number, lifetimeMs: number, caller: AbortSignal): Watchdog {
  const controller = new AbortController();
  const end = clock.monotonic() + lifetimeMs;
  let hungryAt = clock.monotonic() + silenceMs;
  let bite: KubeError | undefined;
  let timer: Timer | undefined;
  const onCaller = () => controller.abort();
  if (caller.aborted) controller.abort();
  else caller.addEventListener('abort', onCaller, { once: true });

  // bytes only move the time; the one timer looks again when it has come
  const look = () => {
    const now = clock.monotonic();
    const due = Math.min(hungryAt, end);
    if (now < due) {
      timer = clock.setTimeout(look, due - now);
      return;
    }
    const message =
      now >= end
        ? 'Watch was cut: the server did not end it in time'
        : `Watch was cut after ${silenceMs / 1000} s of silence`;
    bite = new KubeError({ code: 'Timeout', message });
    controller.abort();
  };
  look();

  return {
    signal: controller.signal,
    fed() {
      hungryAt = clock.monotonic() + silenceMs;
    },
    cut: () => bite,
    stop() {
      clock.clearTimeout(timer);
      caller.removeEventListener('abort', onCaller);
      controller.abort();
    },
  };
}
