/**
 * `vital`: costs nothing and is needed to see what is wrong (health, docs).
 * `read`: changes nothing. `work`: everything else. `wait`: mostly does nothing,
 * for minutes (wait, event streams).
 */
export type LoadClass = 'vital' | 'read' | 'work' | 'wait';
export type ShedReason = 'requests' | 'bytes' | 'waiters' | 'event_loop';
export const SHED_REASONS: readonly ShedReason[] = ['requests', 'bytes', 'waiters', 'event_loop'];

export interface LoadLimits {
  /** Requests open at a time; reads are let through up to twice as many. */
  readonly requests: number;
  /** Bodies in memory at a time. */
  readonly bodyBytes: number;
  /** Waits and event streams open at a time. */
  readonly waiters: number;
  /** How late the event loop may be before no more work is taken. */
  readonly loopDelayMs: number;
}

export const DEFAULT_LOAD_LIMITS: LoadLimits = {
  requests: 1000,
  // Two of the longest. One of them takes about five times its size until it is with Kling: as text, parsed, stored, sent.
  bodyBytes: 64 * 1024 * 1024,
  waiters: 2000,
  loopDelayMs: 500,
};

/** Shorter bodies are held back by the number of requests alone, so that a few large ones do not keep them out. */
export const SMALL_BODY_BYTES = 64 * 1024;
const READS_TO_WORK = 2;

/** What this process has taken on. */
export interface Load {
  /** @returns gives the place back (once), or why there is none */
  enter(kind: LoadClass): (() => void) | ShedReason;
  /** Room for a body. @returns gives it back (once), or why there is none */
  hold(bytes: number): (() => void) | ShedReason;
  open(kind: LoadClass): number;
  bodyBytes(): number;
}

/** @param loopDelayMs how late the event loop is now */
export function createLoad(limits: LoadLimits, loopDelayMs: () => number): Load {
  const open: Record<LoadClass, number> = { vital: 0, read: 0, work: 0, wait: 0 };
  let bodyBytes = 0;

  const refusal = (kind: LoadClass): ShedReason | undefined => {
    if (kind === 'vital') return undefined;
    if (kind === 'wait') return open.wait >= limits.waiters ? 'waiters' : undefined;
    const most = kind === 'read' ? limits.requests * READS_TO_WORK : limits.requests;
    if (open.read + open.work >= most) return 'requests';
    return kind === 'work' && loopDelayMs() > limits.loopDelayMs ? 'event_loop' : undefined;
  };

  return {
    enter(kind) {
      const refused = refusal(kind);
      if (refused !== undefined) return refused;
      open[kind] += 1;
      return once(() => {
        open[kind] -= 1;
      });
    },
    hold(bytes) {
      // One alone always fits: how long it may be is another limit.
      if (bodyBytes > 0 && bodyBytes + bytes > limits.bodyBytes) return 'bytes';
      bodyBytes += bytes;
      return once(() => {
        bodyBytes -= bytes;
      });
    },
    open: (kind) => open[kind],
    bodyBytes: () => bodyBytes,
  };
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    act();
  };
}
