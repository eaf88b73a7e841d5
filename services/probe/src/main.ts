/** The sidecar: answers the kubelet for an MCP server that is not ours. */
import { createLogger, drainOnSignal, processVariables, readEnvironment } from '@klingapi/management';
import { z } from 'zod';
import { eraPolicySchema } from './report.ts';
import { startSidecar } from './sidecar.ts';

const env = readEnvironment(
  z.object({
    ...processVariables,
    PROBE_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:5510/mcp/v1'),
    PROBE_HOST: z.string().optional(),
    PROBE_HEADERS_DIR: z.string().optional(),
    PROBE_ERAS: eraPolicySchema.default('Any'),
    PROBE_TIMEOUT_SECONDS: z.coerce.number().positive().max(300).default(3),
  }),
);
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
