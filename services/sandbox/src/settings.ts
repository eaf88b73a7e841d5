import { webhookSecretSchema } from '@klingapi/kling';
import { processVariables } from '@klingapi/management';
import { z } from 'zod';
import type { SandboxOptions } from './server.ts';

/** What the environment, or a flag of the command, sets of a sandbox. */
export const sandboxVariables = {
  PORT: z.coerce.number().int().min(0).max(65535).default(5512).describe('Port of the Kling API'),
  SANDBOX_TASK_SECONDS: z.coerce
    .number()
    .min(0)
    .max(3600)
    .default(2)
    .describe('From submitted to succeed for a picture; twice that for a video'),
  SANDBOX_SPEED: z.coerce
    .number()
    .min(0)
    .max(100_000)
    .default(1)
    .describe('Sandbox seconds that pass in a real second; 0 stands still'),
  SANDBOX_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe(
      'Tasks at once of one account, model and type of pack; above it 1303. Absent: any number. Packs set over `/sandbox/packs` go before',
    ),
  SANDBOX_REQUESTS_PER_SECOND: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe('Of one account; above it 1302. Absent: any number'),
  SANDBOX_ACCESS_KEY: z
    .string()
    .max(256)
    .optional()
    .describe('With SANDBOX_SECRET_KEY: signed tokens have to be of this key. Absent: any token that is in its time'),
  SANDBOX_SECRET_KEY: z.string().max(256).optional().describe('See SANDBOX_ACCESS_KEY'),
  WEBHOOK_SECRET: webhookSecretSchema.optional().describe('Callbacks are signed with it (`whsec_…`)'),
};

/** What the process reads. */
export const environmentSchema = z.object({
  ...processVariables,
  ...sandboxVariables,
  SANDBOX_ADMIN: z
    .enum(['management', 'traffic'])
    .default('management')
    .describe('Where `/sandbox/…` is: `management` (on that port) or `traffic`'),
});

/** Variables that may come from a mounted file. */
export const secretVariables: readonly string[] = ['WEBHOOK_SECRET', 'SANDBOX_SECRET_KEY'];

type Settings = z.output<z.ZodObject<typeof sandboxVariables>>;

export const hasWholePair = (settings: Settings): boolean =>
  (settings.SANDBOX_ACCESS_KEY === undefined) === (settings.SANDBOX_SECRET_KEY === undefined);
export const PAIR_NEEDED = 'SANDBOX_ACCESS_KEY and SANDBOX_SECRET_KEY: set both or neither';

export function optionsOf(settings: Settings): Omit<SandboxOptions, 'host' | 'onRequest'> {
  const { SANDBOX_ACCESS_KEY: accessKey, SANDBOX_SECRET_KEY: secretKey } = settings;
  return {
    port: settings.PORT,
    taskSeconds: settings.SANDBOX_TASK_SECONDS,
    speed: settings.SANDBOX_SPEED,
    concurrency: settings.SANDBOX_CONCURRENCY,
    requestsPerSecond: settings.SANDBOX_REQUESTS_PER_SECOND,
    webhookSecret: settings.WEBHOOK_SECRET,
    signing: accessKey === undefined || secretKey === undefined ? undefined : { accessKey, secretKey },
  };
}
