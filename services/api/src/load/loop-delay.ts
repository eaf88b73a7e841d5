import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Of the histogram; part of everything that it measures. */
const RESOLUTION_MS = 20;
const WINDOW_MS = 500;
/** One long turn (a large body is parsed, the program starts) is no overload; windows in a row are. */
const WINDOWS = 4;

/** How late timers fired on average, in milliseconds, in the best half second of the last two. */
export function watchLoopDelay(): { milliseconds(): number; stop(): void } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const delays = Array.from({ length: WINDOWS }, () => 0);
  const timer = setInterval(() => {
    const mean = histogram.mean / 1e6 - RESOLUTION_MS;
    delays.shift();
    delays.push(Number.isFinite(mean) ? Math.max(0, mean) : 0);
    histogram.reset();
  }, WINDOW_MS).unref();
  return {
    milliseconds: () => Math.min(...delays),
    stop() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}
