import { webhookSecretSchema } from '@klingapi/kling';
import {
  createLogger,
  createRegistry,
  createRequestMetrics,
  drainOnSignal,
  processVariables,
  readEnvironment,
  startManagement,
} from '@klingapi/management';
import { z } from 'zod';
import { startSandbox } from './server.ts';

const environment = readEnvironment(
  z.object({
    ...processVariables,
    PORT: z.coerce.number().int().min(0).max(65535).default(5512),
    SANDBOX_TASK_SECONDS: z.coerce.number().min(0).max(3600).default(2),
    WEBHOOK_SECRET: webhookSecretSchema.optional(),
    SANDBOX_CONCURRENCY: z.coerce.number().int().min(1).max(10_000).optional(),
  }),
  process.env,
  { files: ['WEBHOOK_SECRET'] },
);
const logger = createLogger({ name: 'sandbox', level: environment.LOG_LEVEL });
const registry = createRegistry('sandbox');
const countRequest = createRequestMetrics(registry);

const sandbox = await startSandbox({
  host: environment.HOST,
  port: environment.PORT,
  taskSeconds: environment.SANDBOX_TASK_SECONDS,
  concurrency: environment.SANDBOX_CONCURRENCY,
  webhookSecret: environment.WEBHOOK_SECRET,
  onRequest: (told) => {
    countRequest(told);
    logger.debug(told, 'request answered');
  },
});
const management = await startManagement({
  host: environment.HOST,
  port: environment.MANAGEMENT_PORT,
  registry,
  routes: { '/readyz': () => ({ status: 200, body: { status: 'ok' } }) },
});
logger.info({ port: sandbox.port, managementPort: management.port }, 'sandbox started');

drainOnSignal({
  seconds: environment.DRAIN_SECONDS,
  logger,
  steps: [
    { name: 'requests', run: () => sandbox.close() },
    { name: 'management', run: () => management.close() },
  ],
});
