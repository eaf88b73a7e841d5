import { createByteGate } from './byte-gate.ts';

/**
 * `vital`: costs nothing and is needed to see what is wrong (health, docs).
 * `read`: changes nothing. `work`: everything else. `wait`: mostly does nothing,
 * for minutes (wait, event streams). `file`: sends bytes of files, as slowly as
 * the client reads. `callback`: what anybody can send without a key. All but
 * reads and work have a bound of their own, so that none keeps out another.
 */
export const LOAD_CLASSES = ['vital', 'read', 'work', 'wait', 'file', 'callback'] as const;
export type LoadClass = (typeof LOAD_CLASSES)[number];
export type ShedReason = 'requests' | 'bytes' | 'waiters' | 'event_loop';
export const SHED_REASONS: readonly ShedReason[] = ['requests', 'bytes', 'waiters', 'event_loop'];

export interface LoadLimits {
  /** Requests open at a time; reads are let through up to twice as many. */
  readonly requests: number;
  /** Bodies in memory at a time. */
  readonly bodyBytes: number;
  /** How long a large body waits for room before it is refused: they come in bursts, and one takes less than a second. */
  readonly roomWithinMs: number;
  /** How long a large body may take to arrive while others wait for its room; less than they wait. */
  readonly arrivesWithinMs: number;
  /** Waits and event streams open at a time. */
  readonly waiters: number;
  /** Files of results and uploads that are being sent. */
  readonly files: number;
  /** Callbacks of Kling that are being received. */
  readonly callbacks: number;
  /** How late the event loop may be before no more work is taken. */
  readonly loopDelayMs: number;
}

export const DEFAULT_LOAD_LIMITS: LoadLimits = {
  requests: 1000,
  // The longest there is. It takes about six times its size until Kling has it: as text, parsed, stored, sent.
  bodyBytes: 32 * 1024 * 1024,
  roomWithinMs: 15_000,
  arrivesWithinMs: 10_000,
  waiters: 2000,
  files: 500,
  callbacks: 100,
  loopDelayMs: 500,
};

/** Shorter bodies are held back by the number of requests alone, so that a few large ones do not keep them out. */
export const SMALL_BODY_BYTES = 64 * 1024;
const READS_TO_WORK = 2;

/** What this process has taken on. */
export interface Load {
  /** @returns gives the place back (once), or why there is none */
  enter(kind: LoadClass): (() => void) | ShedReason;
  /**
   * Room for a body, in order of arrival.
   * @param gone fires when the client is
   * @returns gives it back, or why there was none
   */
  hold(bytes: number, gone: AbortSignal): Promise<(() => void) | ShedReason>;
  open(kind: LoadClass): number;
  bodyBytes(): number;
  /** Whether a body waits for room that others hold. */
  isCrowded(): boolean;
  readonly arrivesWithinMs: number;
}

/** @param loopDelayMs how late the event loop is now */
export function createLoad(limits: LoadLimits, loopDelayMs: () => number): Load {
  const open: Record<LoadClass, number> = { vital: 0, read: 0, work: 0, wait: 0, file: 0, callback: 0 };
  const bodies = createByteGate(limits.bodyBytes);

  const refusal = (kind: LoadClass): ShedReason | undefined => {
    if (kind === 'vital') return undefined;
    if (kind === 'wait') return open.wait >= limits.waiters ? 'waiters' : undefined;
    if (kind === 'file') return open.file >= limits.files ? 'requests' : undefined;
    if (kind === 'callback') return open.callback >= limits.callbacks ? 'requests' : undefined;
    const most = kind === 'read' ? limits.requests * READS_TO_WORK : limits.requests;
    if (open.read + open.work >= most) return 'requests';
    return kind === 'work' && loopDelayMs() > limits.loopDelayMs ? 'event_loop' : undefined;
  };

  return {
    enter(kind) {
      const refused = refusal(kind);
      if (refused !== undefined) return refused;
      open[kind] += 1;
      let left = false;
      return () => {
        if (left) return;
        left = true;
        open[kind] -= 1;
      };
    },
    async hold(bytes, gone) {
      const signal = AbortSignal.any([gone, AbortSignal.timeout(limits.roomWithinMs)]);
      return (await bodies.pass(bytes, signal)) ?? 'bytes';
    },
    open: (kind) => open[kind],
    bodyBytes: bodies.inside,
    arrivesWithinMs: limits.arrivesWithinMs,
    isCrowded: () => bodies.waiting() > 0,
  };
}
