import { join } from 'node:path';
import { type Credentials, webhookSecretSchema } from '@klingapi/kling';
import { hostList, originList, processVariables } from '@klingapi/management';
import { z } from 'zod';
import { DEFAULT_LOAD_LIMITS, type LoadLimits } from './load/load.ts';
import { createFolderStore } from './results/folder-store.ts';
import type { ResultStore } from './results/result-store.ts';
import { createS3Store } from './results/s3-store.ts';
import type { StorageOptions } from './storage/open.ts';

/** Variables that `NAME_FILE` may name a mounted file for. */
export const FILE_VARIABLES = [
  'KLING_API_KEY',
  'KLING_ACCESS_KEY',
  'KLING_SECRET_KEY',
  'INTERNAL_KEY',
  'DATABASE_URL',
  'WEBHOOK_SECRET',
  'RESULTS_S3_ACCESS_KEY_ID',
  'RESULTS_S3_SECRET_ACCESS_KEY',
] as const;

const key = z.string().regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces');

const count = z.coerce.number().int().min(1).max(100_000);

/** Fields that other rules look at; read loosely, because the rules run beside the problems of other fields. */
const related = z.object({
  AUTH: z.unknown(),
  CALLERS_DIR: z.unknown(),
  KLING_API_KEY: z.unknown(),
  KLING_ACCESS_KEY: z.unknown(),
  KLING_SECRET_KEY: z.unknown(),
  DATA_DIR: z.unknown(),
  DATABASE_URL: z.unknown(),
  RESULTS_S3_ENDPOINT: z.unknown(),
  RESULTS_S3_BUCKET: z.unknown(),
  RESULTS_S3_ACCESS_KEY_ID: z.unknown(),
  RESULTS_S3_SECRET_ACCESS_KEY: z.unknown(),
});
const S3_NEEDS = [
  'RESULTS_S3_ENDPOINT',
  'RESULTS_S3_BUCKET',
  'RESULTS_S3_ACCESS_KEY_ID',
  'RESULTS_S3_SECRET_ACCESS_KEY',
] as const;
const always = () => true;

/** The environment of this process. `AUTH` has no default: who forgets it gets no open door. */
export const environmentSchema = z
  .object({
    ...processVariables,
    PORT: z.coerce.number().int().min(0).max(65535).default(5511).describe('Port of traffic; 0 picks one'),
    KLING_BASE_URL: z
      .url({ protocol: /^https?$/ })
      .describe('Where Kling is, such as https://api-singapore.klingai.com or http://studio-sandbox:5512'),
    KLING_API_KEY: key.optional().describe('Key of the Kling account'),
    KLING_ACCESS_KEY: key.optional().describe('The older pair of keys, instead of KLING_API_KEY'),
    KLING_SECRET_KEY: key.optional().describe('Belongs to KLING_ACCESS_KEY'),
    DATA_DIR: z.string().optional().describe('Folder of tasks.db (SQLite): one replica; without S3 also of results/'),
    DATABASE_URL: z
      .string()
      .refine((text) => /^postgres(ql)?:$/.test(URL.parse(text)?.protocol ?? ''), 'must be postgres://…')
      .optional()
      .describe(
        'postgres://… (15 or newer), for several replicas; goes before DATA_DIR: then there is no volume for tasks',
      ),
    KLING_CONCURRENCY: z.coerce
      .number()
      .int()
      .min(1)
      .max(10_000)
      .optional()
      .describe(
        'Parallel tasks of one model and kind of result, over all replicas; a picture counts for one. Absent: as many as Kling takes',
      ),
    LEASE_SECONDS: z.coerce
      .number()
      .min(1)
      .max(600)
      .default(30)
      .describe('Without a sign of life for so long a replica counts as dead and the others take up its tasks'),
    MAX_REQUESTS_IN_FLIGHT: count
      .default(DEFAULT_LOAD_LIMITS.requests)
      .describe(
        'Requests open at a time; more are 503 overloaded. Reads are let through up to twice as many, health and docs always, waits have their own bound',
      ),
    MAX_BODY_BYTES_IN_FLIGHT: z.coerce
      .number()
      .int()
      .min(1024)
      .default(DEFAULT_LOAD_LIMITS.bodyBytes)
      .describe(
        'Bodies longer than 64 KiB that are in memory at a time; the next one waits up to 15 s, then it is 503 overloaded. Each takes several times its length until Kling has it: raise it together with the memory of the container (512 MiB for the default)',
      ),
    MAX_WAITERS: count
      .default(DEFAULT_LOAD_LIMITS.waiters)
      .describe('Waits and event streams open at a time; more are 503 overloaded'),
    MAX_EVENT_LOOP_DELAY_MS: z.coerce
      .number()
      .min(10)
      .max(60_000)
      .default(DEFAULT_LOAD_LIMITS.loopDelayMs)
      .describe('When timers are later than this on average, for two seconds, what changes anything is 503 overloaded'),
    RESULTS_RETENTION_DAYS: z.coerce
      .number()
      .min(1)
      .max(36_500)
      .default(365)
      .describe('How long copies of results are kept, from the end of the task'),
    UPLOADS_RETENTION_DAYS: z.coerce
      .number()
      .min(1)
      .max(365)
      .default(7)
      .describe('How long files of callers can be used; longer while a task needs them'),
    UPLOADS_MAX_BYTES_PER_CALLER: z.coerce
      .number()
      .int()
      .min(1024 ** 2)
      .default(1024 ** 3)
      .describe('Bytes of files that one caller may keep'),
    RESULTS_S3_ENDPOINT: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        'Bucket for copies of results: with the next three, or none of them. None: DATA_DIR/results with SQLite, no copies with PostgreSQL',
      ),
    RESULTS_S3_BUCKET: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is no name of a bucket')
      .optional()
      .describe('Name of the bucket'),
    RESULTS_S3_REGION: z.string().default('us-east-1').describe('Region of the bucket'),
    RESULTS_S3_PREFIX: z
      .string()
      .regex(/^[A-Za-z0-9/_.-]{1,512}$/, 'letters, digits, / _ . -')
      .default('')
      .describe('Before each key in the bucket'),
    RESULTS_S3_FORCE_PATH_STYLE: z
      .stringbool()
      .default(false)
      .describe('The bucket in the path instead of the host name'),
    RESULTS_S3_ACCESS_KEY_ID: key.optional().describe('Key of the bucket'),
    RESULTS_S3_SECRET_ACCESS_KEY: key.optional().describe('Secret of the key of the bucket'),
    WEBHOOK_SECRET: webhookSecretSchema
      .optional()
      .describe(
        'Webhook secret of the Kling account (whsec_…): signed callbacks are taken at /callbacks/kling, and asked for when PUBLIC_URL is set',
      ),
    PUBLIC_URL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        'External base address, such as https://kling.example.com, for callbacks and links; never guessed from a request',
      ),
    ALLOWED_ORIGINS: originList
      .default([])
      .describe(
        'Comma list of origins whose pages may call (CORS), such as https://app.example; never *. Without AUTH other origins may change nothing',
      ),
    ALLOWED_HOSTS: hostList
      .default([])
      .describe(
        'With AUTH=none: comma list of Host names (without port) that requests may come under, besides the host of PUBLIC_URL, addresses, names without a dot, localhost and names of the cluster (.svc); * allows all',
      ),
    AUTH: z
      .enum(['callers', 'none'])
      .describe(
        'Who may call: those in CALLERS_DIR, or everybody who reaches the port. No default, so that nobody opens the door by forgetting it',
      ),
    CALLERS_DIR: z.string().optional().describe('Needed for AUTH=callers: a folder with one file a caller'),
    INTERNAL_KEY: z
      .string()
      .refine((text) => Buffer.byteLength(text) >= 32, 'must have at least 32 bytes')
      .optional()
      .describe('Key of the assertions between the services, at least 32 bytes as text'),
  })
  .refine((env) => !isSet(env, 'AUTH', 'callers') || isSet(env, 'CALLERS_DIR'), {
    path: ['CALLERS_DIR'],
    message: 'required with AUTH=callers',
    when: always,
  })
  .refine((env) => isSet(env, 'KLING_API_KEY') || (isSet(env, 'KLING_ACCESS_KEY') && isSet(env, 'KLING_SECRET_KEY')), {
    path: ['KLING_API_KEY'],
    message: 'needed, or KLING_ACCESS_KEY and KLING_SECRET_KEY together (each also as …_FILE)',
    when: always,
  })
  .refine((env) => new Set(S3_NEEDS.map((name) => isSet(env, name))).size === 1, {
    path: ['RESULTS_S3_ENDPOINT'],
    message: `belongs together with ${S3_NEEDS.slice(1).join(', ')}`,
    when: always,
  })
  .refine((env) => isSet(env, 'DATA_DIR') || isSet(env, 'DATABASE_URL'), {
    path: ['DATA_DIR'],
    message: 'needed, or DATABASE_URL (also as DATABASE_URL_FILE) for PostgreSQL',
    when: always,
  });

export function loadLimitsOf(env: z.infer<typeof environmentSchema>): Partial<LoadLimits> {
  return {
    requests: env.MAX_REQUESTS_IN_FLIGHT,
    bodyBytes: env.MAX_BODY_BYTES_IN_FLIGHT,
    waiters: env.MAX_WAITERS,
    loopDelayMs: env.MAX_EVENT_LOOP_DELAY_MS,
  };
}

/** A database goes before a folder: then nothing of the tasks is in the folder. */
export function storageOf(env: z.infer<typeof environmentSchema>): StorageOptions {
  return env.DATABASE_URL === undefined ? { dataDir: env.DATA_DIR ?? '' } : { url: env.DATABASE_URL };
}

/** A bucket, a folder beside the tasks, or nothing: replicas share no folder. */
export function resultStoreOf(env: z.infer<typeof environmentSchema>): ResultStore | undefined {
  const { RESULTS_S3_ENDPOINT: endpoint, RESULTS_S3_BUCKET: bucket } = env;
  if (endpoint !== undefined && bucket !== undefined) {
    return createS3Store({
      endpoint,
      bucket,
      region: env.RESULTS_S3_REGION,
      prefix: env.RESULTS_S3_PREFIX.replace(/(?<=.)\/*$/, '/'),
      forcePathStyle: env.RESULTS_S3_FORCE_PATH_STYLE,
      accessKeyId: env.RESULTS_S3_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.RESULTS_S3_SECRET_ACCESS_KEY ?? '',
    });
  }
  if (env.DATABASE_URL !== undefined || env.DATA_DIR === undefined) return undefined;
  return createFolderStore(join(env.DATA_DIR, 'results'));
}

export function credentialsOf(env: z.infer<typeof environmentSchema>): Credentials {
  if (env.KLING_API_KEY !== undefined) return { apiKey: env.KLING_API_KEY };
  return { accessKey: env.KLING_ACCESS_KEY ?? '', secretKey: env.KLING_SECRET_KEY ?? '' };
}

function isSet(env: unknown, name: keyof z.infer<typeof related>, value?: string): boolean {
  const found = related.partial().safeParse(env).data?.[name];
  return value === undefined ? found !== undefined : found === value;
}
