/** The operator's settings, from its environment. */
import { hostname } from 'node:os';
import { z } from 'zod';
import { SIGNATURES, type Signature, signaturesSchema } from './remediation/signatures.ts';

const list = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  );

const flag = (initial: boolean) =>
  z
    .enum(['true', 'false'])
    .default(initial ? 'true' : 'false')
    .transform((value) => value === 'true');

/** JSON text, as a mounted file holds it. */
const json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue({ code: 'custom', message: 'is not JSON' });
    return z.NEVER;
  }
});

export const settingsSchema = z.object({
  HOST: z.string().default('0.0.0.0').describe('Address to listen on'),
  MANAGEMENT_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(9090)
    .describe('Port of health and metrics; 0 picks one'),
  CONSOLE_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .optional()
    .describe(
      'Port of the console, a page to look at, on the loopback address of the pod alone: reached by kubectl port-forward; 0 picks one; no console without it',
    ),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Lines below it are left out'),
  DRAIN_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .max(300)
    .default(10)
    .describe('How long what has been begun may take to end after SIGTERM'),
  WATCH_NAMESPACES: list.describe('Comma list of namespaces to watch; all of them without it'),
  POD_NAMESPACE: z.string().default('default').describe("Namespace of the operator's own pod"),
  POD_NAME: z.string().default(hostname()).describe("Name of the operator's own pod; absent: the host name"),
  OPERATOR_NAME: z
    .string()
    .default('kling-operator')
    .describe("Label app.kubernetes.io/name of the operator's own pods, by which network policies let them in"),
  LEADER_ELECTION: flag(true).describe('Whether only the holder of the Lease acts'),
  LEADER_ELECTION_LEASE: z
    .string()
    .default('kling-operator')
    .describe("Name of the Lease in the operator's own namespace"),
  WORKERS: z.coerce.number().int().min(1).max(64).default(8).describe('KlingApis that are looked at at a time'),
  MAX_CONCURRENT_ROLLOUTS: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('KlingApis that roll at once for a change that came with this operator, such as a new default image'),
  STORM_KLINGAPIS: z.coerce
    .number()
    .int()
    .min(0)
    .max(100_000)
    .default(3)
    .describe('The storm guard: KlingApis that fall silent together, at least so many; 0 turns it off'),
  STORM_PERCENT: z.coerce.number().int().min(0).max(100).default(30).describe('And at least so many percent of all'),
  STORM_WINDOW_SECONDS: z.coerce.number().int().min(1).max(86_400).default(120).describe('Within this time'),
  IMAGE_MCP: z.string().min(1).describe('Default image'),
  IMAGE_API: z.string().min(1).describe('Default image'),
  IMAGE_SANDBOX: z.string().min(1).describe('Default image'),
  IMAGE_PROBE: z.string().min(1).describe('Image of the sidecar'),
  IMAGE_PULL_POLICY: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent').describe('Of all images'),
  LOG_SIGNATURES: json
    .pipe(signaturesSchema)
    .prefault('[]')
    .transform((own): readonly Signature[] => [...own, ...SIGNATURES])
    .describe(
      'JSON: at most 32 of { "contains": text within one line, "diagnosis": one word }, tried before those that are built in',
    ),
  IMAGE_PULL_SECRETS: list.describe('Comma list of Secrets for pulling images, in the namespace of each KlingApi'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Where traces go over OTLP/HTTP, such as http://collector:4318; no traces without it. The other OTEL_EXPORTER_OTLP_* variables hold as the specification says',
    ),
  OTEL_SERVICE_NAME: z.string().default('kling-operator').describe('Name of the service in traces'),
});

export type Settings = z.output<typeof settingsSchema>;
