/** Log lines that name a cause. Data: one row a signature. */
import { redact } from '@klingapi/probe';

export interface Signature {
  pattern: RegExp;
  diagnosis: string;
}

export const SIGNATURES: Signature[] = [
  // mcp (Python) raises it for each request once its session manager is gone; the port and /health stay as they were
  { pattern: /Task group is not initialized/, diagnosis: 'SessionManagerDown' },
  { pattern: /StreamableHTTP session manager shutting down/, diagnosis: 'SessionManagerDown' },
  { pattern: /JavaScript heap out of memory|MemoryError/, diagnosis: 'OutOfMemory' },
];

export interface LogFinding {
  diagnosis: string;
  /** The matching lines, redacted, at most 1,024 characters. */
  excerpt: string;
}

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
