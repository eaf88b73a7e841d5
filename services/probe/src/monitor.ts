import { type HandshakeResult, isReady, type ProbeReport } from './report.ts';

export interface Monitor {
  /** One handshake, or the one that is running already. Never rejects. */
  check(): Promise<ProbeReport>;
  /** The newest report, null before the first. */
  last(): ProbeReport | null;
}

export interface MonitorOptions {
  run: () => Promise<HandshakeResult>;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Called once for each handshake that was really done. */
  onReport?: (report: ProbeReport, tookMs: number) => void;
}

/**
 * Turns single handshakes into a history: since when it fails, how often in a
 * row, when it served first. `Unknown` is the observer's own trouble, so it says
 * nothing about the server and changes neither count.
 */
export function createMonitor({ run, now, onReport }: MonitorOptions): Monitor {
  const startedAt = iso(now());
  let running: Promise<ProbeReport> | null = null;
  let last: ProbeReport | null = null;

  async function once(): Promise<ProbeReport> {
    const began = now();
    const result = await run().catch(brokenObserver);
    const at = now();
    last = next(last, result, startedAt, iso(at));
    onReport?.(last, at - began);
    return last;
  }

  return {
    check() {
      running ??= once().finally(() => {
        running = null;
      });
      return running;
    },
    last: () => last,
  };
}

/** @param at end of the handshake, ISO 8601 */
function next(previous: ProbeReport | null, result: HandshakeResult, startedAt: string, at: string): ProbeReport {
  const { verdict, diagnosis, message, evidence, server } = result;
  const failing = verdict === 'Failing' || verdict === 'Unreachable';
  const unknown = verdict === 'Unknown';
  const failures = previous?.consecutiveFailures ?? 0;
  const since = previous?.failingSince ?? null;
  return {
    verdict,
    diagnosis,
    message,
    at,
    startedAt,
    firstServingAt: previous?.firstServingAt ?? (isReady(verdict) ? at : null),
    failingSince: failing ? (since ?? at) : unknown ? since : null,
    consecutiveFailures: failing ? failures + 1 : unknown ? failures : 0,
    handshakes: (previous?.handshakes ?? 0) + 1,
    evidence,
    server: server ?? previous?.server ?? null,
  };
}

function brokenObserver(error: unknown): HandshakeResult {
  return {
    verdict: 'Unknown',
    diagnosis: null,
    message: `the handshake could not be done: ${error instanceof Error ? error.message : 'unknown error'}`,
    era: null,
    evidence: {
      era: 'Legacy',
      method: 'initialize',
      status: null,
      contentType: null,
      excerpt: null,
      code: null,
      error: error instanceof Error ? error.name : null,
      phases: { connectMs: null, firstByteMs: null, totalMs: 0 },
    },
    server: null,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
