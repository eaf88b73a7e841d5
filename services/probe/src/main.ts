/** The sidecar: answers the kubelet for an MCP server that is not ours. */
import { createLogger, drainOnSignal, readEnvironment } from '@klingapi/management';
import { environmentSchema } from './environment.ts';
import { startSidecar } from './sidecar.ts';

const env = readEnvironment(environmentSchema);
const logger = createLogger({ name: 'probe', level: env.LOG_LEVEL });

const sidecar = await startSidecar({
  url: env.PROBE_URL,
  hostHeader: env.PROBE_HOST,
  headersDir: env.PROBE_HEADERS_DIR,
  eras: env.PROBE_ERAS,
  timeoutMs: env.PROBE_TIMEOUT_SECONDS * 1000,
  management: { host: env.HOST, port: env.MANAGEMENT_PORT },
  onChange: ({ verdict, diagnosis, message }) => logger.info({ verdict, diagnosis, message }, 'verdict changed'),
  onError: (path, error) => logger.error({ path, err: error }, 'management route failed'),
});
logger.info({ url: env.PROBE_URL, managementPort: sidecar.management.port }, 'probe started');

drainOnSignal({
  seconds: env.DRAIN_SECONDS,
  logger,
  steps: [
    { name: 'readiness', run: () => sidecar.drain() },
    { name: 'management', run: () => sidecar.management.close() },
  ],
});
