/** Log lines that name a cause. Data: one row a signature. */
import { redact } from '@klingapi/probe';

export interface Signature {
  pattern: RegExp;
  /** What it tells of the fault; null where it is evidence, but names no fault of a process that runs. */
  diagnosis: string | null;
}

export const SIGNATURES: Signature[] = [
  // mcp (Python) raises it for each request once its session manager is gone; the port and /health stay as they were
  { pattern: /Task group is not initialized/, diagnosis: 'SessionManagerDown' },
  { pattern: /StreamableHTTP session manager shutting down/, diagnosis: 'SessionManagerDown' },
  // the process outlived it, or the kubelet would have restarted it: that it ran out of memory is not why it fails now
  { pattern: /JavaScript heap out of memory|MemoryError/, diagnosis: null },
];

export interface LogFinding {
  diagnosis: string | null;
  /** The matching lines, redacted, at most 1,024 characters. */
  excerpt: string;
}

/** Lines from before the failure that may tell its cause, in seconds. */
const BEFORE_SECONDS = 60;

/** How far back a log is read: what was logged long before the failure did not cause it. @param failingSince milliseconds */
export const logSeconds = (failingSince: number | null, now: number): number =>
  BEFORE_SECONDS + Math.max(0, Math.ceil((now - (failingSince ?? now)) / 1_000));

/** Looks for the first signature (in the order of the list) in a log. Lines that match nothing never leave the pod. */
export function matchLog(log: string, signatures: Signature[] = SIGNATURES): LogFinding | undefined {
  const lines = log.split('\n');
  for (const signature of signatures) {
    const hits = lines.filter((line) => signature.pattern.test(line));
    const last = hits.at(-1);
    if (last !== undefined) {
      const note = hits.length > 1 ? ` (${hits.length} times)` : '';
      return { diagnosis: signature.diagnosis, excerpt: `${redact(last.trim(), [], 1000)}${note}`.slice(0, 1024) };
    }
  }
  return undefined;
}
