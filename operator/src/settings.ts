/** The operator's settings, from its environment. */
import { hostname } from 'node:os';
import { z } from 'zod';

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

export const settingsSchema = z.object({
  HOST: z.string().default('0.0.0.0'),
  MANAGEMENT_PORT: z.coerce.number().int().min(0).max(65535).default(9090),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
  DRAIN_SECONDS: z.coerce.number().int().min(0).max(300).default(10),
  /** Namespaces to watch, separated by commas; all of them without it. */
  WATCH_NAMESPACES: list,
  /** Namespace and name of the operator's own pod. */
  POD_NAMESPACE: z.string().default('default'),
  POD_NAME: z.string().default(hostname()),
  /** Label app.kubernetes.io/name of the operator's own pods, by which network policies let them in. */
  OPERATOR_NAME: z.string().default('kling-operator'),
  LEADER_ELECTION: flag(true),
  LEADER_ELECTION_LEASE: z.string().default('kling-operator'),
  WORKERS: z.coerce.number().int().min(1).max(64).default(8),
  /** KlingApis that roll at once for a change that came with this operator, such as a new default image. */
  MAX_CONCURRENT_ROLLOUTS: z.coerce.number().int().min(1).max(1000).default(5),
  /** The storm guard: KlingApis that fall silent together, at least so many and so many percent of all; 0 turns it off. */
  STORM_KLINGAPIS: z.coerce.number().int().min(0).max(100_000).default(3),
  STORM_PERCENT: z.coerce.number().int().min(0).max(100).default(30),
  STORM_WINDOW_SECONDS: z.coerce.number().int().min(1).max(86_400).default(120),
  IMAGE_MCP: z.string().min(1),
  IMAGE_API: z.string().min(1),
  IMAGE_SANDBOX: z.string().min(1),
  IMAGE_PROBE: z.string().min(1),
  IMAGE_PULL_POLICY: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
  /** Names of Secrets for pulling images, in the namespace of each KlingApi. */
  IMAGE_PULL_SECRETS: list,
});

export type Settings = z.output<typeof settingsSchema>;
