import { z } from 'zod';

/**
 * What a handshake shows. `Serving`: a complete MCP reply (or a busy server that
 * said so). `AuthRequired`: 401 or 403. `Failing`: something answered, but not
 * MCP. `Unreachable`: no answer at all. `Unknown`: the observer's own trouble.
 */
export const verdictSchema = z.enum(['Serving', 'AuthRequired', 'Failing', 'Unreachable', 'Unknown']);
export type Verdict = z.infer<typeof verdictSchema>;

/** Why, as far as the handshake alone can tell. */
export const diagnosisSchema = z.enum([
  'SessionManagerDown',
  'HttpError',
  'RequestRefused',
  'WrongProtocol',
  'VersionMismatch',
  'EraMismatch',
  'ProcessHung',
  'NeverEndingReply',
  'ConnectionRefused',
  'Slow',
  'KeyInvalid',
  'EmptyReply',
  'NameResolution',
]);
export type Diagnosis = z.infer<typeof diagnosisSchema>;

/** `Legacy`: the protocol that opens with `initialize` (up to 2025-11-25). `Modern`: 2026-07-28 and later. */
export const eraSchema = z.enum(['Legacy', 'Modern']);
export type Era = z.infer<typeof eraSchema>;

/** Which eras a server has to speak: any one of them, exactly one, or both. */
export const eraPolicySchema = z.enum(['Any', 'Modern', 'Legacy', 'Both']);
export type EraPolicy = z.infer<typeof eraPolicySchema>;

/** Milliseconds from the start of the deciding request; null for a phase that was not reached. */
export const phasesSchema = z.object({
  /** The name was resolved; null for an address. */
  dnsMs: z.number().nullable().optional(),
  connectMs: z.number().nullable(),
  /** The TLS handshake was done; null for http. */
  tlsMs: z.number().nullable().optional(),
  firstByteMs: z.number().nullable(),
  totalMs: z.number(),
});
export type Phases = z.infer<typeof phasesSchema>;

export const evidenceSchema = z.object({
  era: eraSchema,
  method: z.string(),
  /** HTTP status; null without a reply. */
  status: z.number().int().nullable(),
  contentType: z.string().nullable(),
  /** At most 512 characters of the body, redacted. */
  excerpt: z.string().nullable(),
  /** JSON-RPC error code. */
  code: z.number().nullable(),
  /** Error code of the system or of Node, such as ECONNREFUSED; DEADLINE for our own time limit. */
  error: z.string().nullable(),
  phases: phasesSchema,
});
export type Evidence = z.infer<typeof evidenceSchema>;

export const serverSchema = z.object({
  name: z.string(),
  version: z.string(),
  protocolVersions: z.array(z.string()),
  /** The server handed out a session id. */
  sessionful: z.boolean(),
});
export type Server = z.infer<typeof serverSchema>;

/** Outcome of one handshake. `era` is what the server proved to speak, null when it proved nothing. */
export interface HandshakeResult {
  verdict: Verdict;
  diagnosis: Diagnosis | null;
  message: string;
  era: Era | 'Both' | null;
  evidence: Evidence;
  server: Server | null;
}

/** Body of `/readyz` and `/handshake`. Times are ISO 8601 in UTC. */
export const probeReportSchema = z.object({
  verdict: verdictSchema,
  diagnosis: diagnosisSchema.nullable(),
  message: z.string(),
  at: z.string(),
  startedAt: z.string(),
  firstServingAt: z.string().nullable(),
  failingSince: z.string().nullable(),
  consecutiveFailures: z.number().int().nonnegative(),
  handshakes: z.number().int().nonnegative(),
  evidence: evidenceSchema,
  server: serverSchema.nullable(),
});
export type ProbeReport = z.infer<typeof probeReportSchema>;

/** Whether the kubelet is to see this container as ready. */
export function isReady(verdict: Verdict): boolean {
  return verdict === 'Serving' || verdict === 'AuthRequired';
}
