import { createLogger, createRegistry, drainOnSignal, readEnvironment, startManagement } from '@klingapi/management';
import {
  credentialsOf,
  environmentSchema,
  FILE_VARIABLES,
  loadLimitsOf,
  resultStoreOf,
  storageOf,
} from './environment.ts';
import { startApi } from './server.ts';
import { DataLockedError } from './storage/data-lock.ts';

const environment = readEnvironment(environmentSchema, process.env, { files: FILE_VARIABLES });
const logger = createLogger({ name: 'api', level: environment.LOG_LEVEL });
const registry = createRegistry('api');

const results = resultStoreOf(environment);
if (results === undefined) logger.warn({}, 'results are not kept when Kling deletes them: no bucket is configured');
if (environment.WEBHOOK_SECRET !== undefined && environment.PUBLIC_URL === undefined) {
  logger.warn({}, 'Kling is not asked for callbacks: PUBLIC_URL is absent');
}

const api = await startApi({
  host: environment.HOST,
  port: environment.PORT,
  storage: storageOf(environment),
  load: loadLimitsOf(environment),
  allowedOrigins: environment.ALLOWED_ORIGINS,
  allowedHosts: environment.ALLOWED_HOSTS,
  concurrency: environment.KLING_CONCURRENCY,
  leaseMs: environment.LEASE_SECONDS * 1000,
  publicUrl: environment.PUBLIC_URL,
  webhookSecret: environment.WEBHOOK_SECRET,
  results,
  resultsRetentionMs: environment.RESULTS_RETENTION_DAYS * 24 * 3_600_000,
  uploads: {
    retentionMs: environment.UPLOADS_RETENTION_DAYS * 24 * 3_600_000,
    bytesPerCaller: environment.UPLOADS_MAX_BYTES_PER_CALLER,
  },
  upstream: { baseUrl: environment.KLING_BASE_URL, credentials: credentialsOf(environment) },
  authentication: {
    auth: environment.AUTH,
    callersDir: environment.CALLERS_DIR,
    internalKey: environment.INTERNAL_KEY,
  },
  logger,
  registry,
}).catch((error: unknown): never => {
  if (error instanceof DataLockedError)
    logger.fatal({ reason: error.code, message: error.message }, 'data folder is locked');
  else logger.fatal({ err: error }, 'start failed');
  process.exit(1);
});

const management = await startManagement({
  host: environment.HOST,
  port: environment.MANAGEMENT_PORT,
  registry,
  routes: {
    '/readyz': async () => {
      if (api.draining()) return { status: 503, body: { status: 'draining' } };
      try {
        await api.ping();
        return { status: 200, body: { status: 'ok' } };
      } catch {
        return { status: 503, body: { status: 'storage cannot be reached' } };
      }
    },
  },
  onError: (path, error) => logger.error({ path, err: error }, 'management route failed'),
});
logger.info({ port: api.port, managementPort: management.port, auth: environment.AUTH }, 'api started');

drainOnSignal({
  seconds: environment.DRAIN_SECONDS,
  logger,
  steps: [...api.drainSteps, { name: 'management', run: () => management.close() }],
});
