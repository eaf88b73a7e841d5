import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Of the histogram; part of everything that it measures. */
const RESOLUTION_MS = 20;
const WINDOW_MS = 500;

/** How late timers fired in the last half second, on average, in milliseconds. */
export function watchLoopDelay(): { milliseconds(): number; stop(): void } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let delay = 0;
  const timer = setInterval(() => {
    const mean = histogram.mean / 1e6 - RESOLUTION_MS;
    delay = Number.isFinite(mean) ? Math.max(0, mean) : 0;
    histogram.reset();
  }, WINDOW_MS).unref();
  return {
    milliseconds: () => delay,
    stop() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}
