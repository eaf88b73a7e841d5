export interface Deadline {
  signal: AbortSignal;
  remainingMs(): number;
  clear(): void;
}

/** A timer that is later than this shows that this process did not run when it should have. */
const STALLED_MS = 20;

/**
 * A time limit over several exchanges.
 *
 * A process that was stalled itself (a throttled sidecar, a long pause) finds its
 * timer due before it has read the reply that waits in the socket, and would call
 * a healthy server hung. So the time that it slept is given back, once.
 */
export function startDeadline(timeoutMs: number, outer: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  let end = performance.now() + timeoutMs;
  const abort = () => controller.abort();
  let timer = setTimeout(() => {
    const late = performance.now() - end;
    if (late < STALLED_MS) return abort();
    const more = Math.min(late, timeoutMs);
    end = performance.now() + more;
    timer = setTimeout(abort, more);
  }, timeoutMs);
  if (outer?.aborted === true) abort();
  else outer?.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    remainingMs: () => Math.max(0, end - performance.now()),
    clear() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', abort);
    },
  };
}
