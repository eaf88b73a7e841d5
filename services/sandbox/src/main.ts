import {
  createLogger,
  createRegistry,
  createRequestMetrics,
  drainOnSignal,
  readEnvironment,
  startManagement,
} from '@klingapi/management';
import { startSandbox } from './server.ts';
import { environmentSchema, hasWholePair, optionsOf, PAIR_NEEDED, secretVariables } from './settings.ts';

const environment = readEnvironment(environmentSchema.refine(hasWholePair, PAIR_NEEDED), process.env, {
  files: secretVariables,
});
const logger = createLogger({ name: 'sandbox', level: environment.LOG_LEVEL });
const registry = createRegistry('sandbox');
const countRequest = createRequestMetrics(registry);
const isOnTraffic = environment.SANDBOX_ADMIN === 'traffic';

const sandbox = await startSandbox({
  ...optionsOf(environment),
  host: environment.HOST,
  adminOnTraffic: isOnTraffic,
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
  ...(isOnTraffic ? {} : { below: { prefix: '/sandbox/', handle: sandbox.admin } }),
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
