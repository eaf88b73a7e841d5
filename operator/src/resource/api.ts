/** `spec.api`: the REST service, and where it keeps tasks and results. */
import { z } from 'zod';
import { autoscaling } from './autoscaling.ts';
import { cel, int, objectName, quantity, required, secretKeyRef, secretRef, text } from './bounds.ts';
import { workloadFields } from './workload.ts';

const sqlite = z.object({
  size: quantity().default('1Gi').describe('Size of the volume claim'),
  storageClassName: objectName().optional().describe("Storage class; the cluster's default without it"),
  reclaim: z.enum(['Retain', 'Delete']).default('Retain').describe('Whether the volume claim outlives this KlingApi'),
});

const storage = z
  .object({
    sqlite: sqlite.optional().describe('A file on a volume of its own, for one replica'),
    postgres: z
      .object({
        urlSecretRef: secretKeyRef().describe(
          'Address of the database with its credentials, such as postgres://user:password@host:5432/database',
        ),
      })
      .optional()
      .describe('A database that already exists (PostgreSQL 15 or newer), for any number of replicas'),
  })
  .meta(
    cel({
      rule: '!(has(self.sqlite) && has(self.postgres))',
      message: 'sqlite and postgres exclude each other: set one',
    }),
  );

const s3 = z
  .object({
    endpoint: required(2048)
      .regex(/^https?:\/\/[^\s/@?#]+\/?$/)
      .optional()
      .describe('Address of the store, such as https://minio.example.com; Amazon S3 of the region without it'),
    bucket: required(63)
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)
      .describe('Bucket that already exists'),
    region: required(64)
      .regex(/^[a-z0-9-]+$/)
      .optional()
      .describe('Region that requests are signed for; us-east-1 without it, as most other stores take it'),
    prefix: text(512)
      .regex(/^([^\s/][^\s]*)?$/)
      .optional()
      .describe('What the names of objects begin with, such as studio/; nothing without it'),
    forcePathStyle: z
      .boolean()
      .optional()
      .describe('Whether the bucket is part of the path instead of the host; true with an endpoint, false without it'),
    accessKeyIdSecretRef: secretKeyRef().describe('Access key that requests are signed with'),
    secretAccessKeySecretRef: secretKeyRef().describe('Its secret'),
  })
  .meta(
    cel({
      rule: 'has(self.endpoint) || has(self.region)',
      message: 's3 needs endpoint, or region for Amazon S3',
      fieldPath: '.endpoint',
      reason: 'FieldValueRequired',
    }),
  );

const results = z.object({
  retentionDays: int(1, 3650)
    .default(365)
    .describe('Days that pictures, videos and sounds are kept after their task ended'),
  s3: s3
    .optional()
    .describe(
      'Where they are kept. Without it: beside the tasks on SQLite; on PostgreSQL nowhere, and links end when the vendor deletes its own copy (after 30 days)',
    ),
});

const POSTGRES = 'has(self.storage) && has(self.storage.postgres)';

export const api = z
  .object({
    ...workloadFields,
    replicas: int(0, 100)
      .optional()
      .describe(
        'Number of pods; 1 at creation without it, and on PostgreSQL then free for kubectl scale. With autoscaling it counts at creation alone',
      ),
    autoscaling: autoscaling
      .optional()
      .describe('Sets the number of pods by their use of the CPU, instead of replicas; needs storage.postgres'),
    storage: storage.optional().describe('Where tasks are kept; without it SQLite on a retained claim of 1Gi'),
    results: results.optional().describe('What becomes of results; without it they are kept for 365 days'),
    callersSecretRef: secretRef()
      .optional()
      .describe(
        'Secret of the callers: a key a caller, the value its API key or sha256:<hex> of it; read again when it changes. Without it one is made, with one caller named default',
      ),
  })
  .prefault({})
  .meta(
    cel(
      {
        rule: `!has(self.replicas) || self.replicas <= 1 || (${POSTGRES})`,
        message: 'more than one API replica needs storage.postgres: a SQLite file belongs to one pod',
        fieldPath: '.replicas',
      },
      {
        rule: `!has(self.autoscaling) || (${POSTGRES})`,
        message: 'autoscaling of the API needs storage.postgres: a SQLite file belongs to one pod',
        fieldPath: '.autoscaling',
      },
      {
        rule: `(${POSTGRES}) == (${POSTGRES.replaceAll('self', 'oldSelf')}) || (has(oldSelf.replicas) && oldSelf.replicas == 0 && !has(oldSelf.autoscaling))`,
        message:
          'tasks do not move between SQLite and PostgreSQL: either make a second KlingApi on the new storage and let this one finish, or set replicas: 0 first (without autoscaling), change storage then, and know that the tasks so far stay behind in the old storage',
        fieldPath: '.storage',
        reason: 'FieldValueForbidden',
      },
    ),
  );
