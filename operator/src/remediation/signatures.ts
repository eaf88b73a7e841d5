/**
 * Log lines that name a cause. Data: one list, which the operator's setting LOG_SIGNATURES adds to.
 *
 * A signature is a plain text to be found in a line, not a pattern: it takes time in proportion to the log, whatever either holds,
 * and nobody has to escape the brackets of a message that they copied from one.
 */
import { redact } from '@klingapi/probe';
import { z } from 'zod';
import { DIAGNOSES, isDiagnosis, isProcessFault } from './diagnoses.ts';

export const signatureSchema = z.strictObject({
  contains: z
    .string()
    .min(4)
    .max(120)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a line has none that matches
    .regex(/^[^\u0000-\u001F]*$/, 'has to be within one line'),
  diagnosis: z
    .string()
    .max(64)
    .regex(/^[A-Z][A-Za-z0-9]*$/, 'has to be one CamelCase word')
    .refine(
      (word) => !isDiagnosis(word) || isProcessFault(word),
      `has to be a fault of the process (${Object.keys(DIAGNOSES)
        .filter((word) => isDiagnosis(word) && isProcessFault(word))
        .join(', ')}) or a word of your own`,
    )
    .optional(),
});

/** `diagnosis`: what it tells of the fault; absent where it is evidence, but names no fault of a process that runs. */
export type Signature = z.output<typeof signatureSchema>;

export const signaturesSchema = z.array(signatureSchema).max(32);

export const SIGNATURES: readonly Signature[] = [
  // mcp (Python) raises it for each request once its session manager is gone; the port and /health stay as they were
  { contains: 'Task group is not initialized', diagnosis: 'SessionManagerDown' },
  { contains: 'StreamableHTTP session manager shutting down', diagnosis: 'SessionManagerDown' },
  // the process outlived it, or the kubelet would have restarted it: that it ran out of memory is not why it fails now
  { contains: 'JavaScript heap out of memory' },
  { contains: 'MemoryError' },
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
export function matchLog(log: string, signatures: readonly Signature[] = SIGNATURES): LogFinding | undefined {
  const lines = log.split('\n');
  for (const signature of signatures) {
    const hits = lines.filter((line) => line.includes(signature.contains));
    const last = hits.at(-1);
    if (last !== undefined) {
      const note = hits.length > 1 ? ` (${hits.length} times)` : '';
      const excerpt = `${around(last, signature.contains)}${note}`.slice(0, 1024);
      return { diagnosis: signature.diagnosis ?? null, excerpt };
    }
  }
  return undefined;
}

const MOST_BEFORE = 400;
const MOST = 1_000;

/** A line may be as long as the log; what matters of it stands around the text that was found. */
function around(line: string, found: string): string {
  const from = Math.max(0, line.indexOf(found) - MOST_BEFORE);
  // cut within a secret, its shape is not recognised any more, so the cut falls on a space
  const space = from === 0 ? 0 : line.indexOf(' ', from) + 1;
  return redact(line.slice(space, space + 4 * MOST).trim(), [], MOST);
}
