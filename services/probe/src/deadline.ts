export interface Deadline {
  signal: AbortSignal;
  remainingMs(): number;
  clear(): void;
}

/**
 * A time limit over several exchanges.
 *
 * When this process itself was stalled (a throttled sidecar, a long pause), the
 * timer is due before the reply that already waits in the socket has been read.
 * Timers run before input, so the limit waits two turns of the loop more, and
 * a healthy server is not called hung for the observer's own sleep.
 */
export function startDeadline(timeoutMs: number, outer: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  const end = performance.now() + timeoutMs;
  const abort = () => controller.abort();
  const timer = setTimeout(() => setImmediate(() => setImmediate(abort)), timeoutMs);
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
