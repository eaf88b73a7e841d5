/** Values that say how the operator works: what its settings take. */
import { z } from 'zod';
import { signaturesSchema } from '../../../operator/src/remediation/signatures.ts';

export const work = {
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('trace, debug, info, warn or error.'),
  logSignatures: signaturesSchema
    .default([])
    .describe(
      'Log lines that name a cause, beside those that are built in, as [{ contains: "database is gone", diagnosis: DatabaseGone }]. `contains` is a plain text (4 to 120 characters) within one line. `diagnosis` is one CamelCase word: a fault of the process from docs/runbooks, or one of your own; without it the line is evidence and names no cause. At most 32; a bad one stops the operator at its start, with every problem listed.',
    ),
  workers: z.int().min(1).max(64).default(8).describe('KlingApis that are worked on at the same time.'),
  maxConcurrentRollouts: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe(
      'KlingApis whose pods are replaced at the same time for a change that came with the operator, such as new default images; the next one begins when the new revision of one of them is verified.',
    ),
  stormGuard: z
    .strictObject({
      klingApis: z.int().min(0).max(100_000).default(3).describe('So many KlingApis, at least; 0 turns it off.'),
      percent: z.int().min(0).max(100).default(30).describe('And so many percent of all, at least.'),
      windowSeconds: z.int().min(1).max(86_400).default(120).describe('Within this time.'),
    })
    .describe(
      'Holds repairs back while so many KlingApis, and so many percent of all, fell silent within the window: the cause is hardly in each of them.',
    ),
  console: z.strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        "A page of the fleet, its handshakes and its repairs, for whoever may forward a port to the operator's pod (`kubectl kling console`). It listens on the pod's loopback address alone.",
      ),
  }),
  tracing: z.strictObject({
    endpoint: z
      .string()
      .default('')
      .describe(
        "Where traces of the operator's looks go, over OTLP/HTTP, for example http://collector.observability.svc:4318. None without it. More of the standard OTEL_EXPORTER_OTLP_* variables, such as headers out of a Secret, go into extraEnv.",
      ),
  }),
};
