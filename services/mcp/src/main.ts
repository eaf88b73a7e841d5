/** The MCP service as a process; environment in `docs/design/contracts.md`. */
import { createLogger, drainOnSignal, readEnvironment } from '@klingapi/management';
import { environmentSchema } from './environment.ts';
import { startMcp } from './server.ts';

const env = readEnvironment(environmentSchema, process.env, { files: ['INTERNAL_KEY'] });
const logger = createLogger({ name: 'mcp', level: env.LOG_LEVEL });

const mcp = await startMcp({
  host: env.HOST,
  port: env.PORT,
  path: env.MCP_PATH,
  management: { host: env.HOST, port: env.MANAGEMENT_PORT },
  apiUrl: env.API_URL,
  auth: env.AUTH,
  callersDir: env.CALLERS_DIR,
  internalKey: env.INTERNAL_KEY,
  allowedHosts: env.ALLOWED_HOSTS,
  allowedOrigins: env.ALLOWED_ORIGINS,
  handshakeTimeoutMs: env.HANDSHAKE_TIMEOUT_SECONDS * 1000,
  onVerdict: ({ verdict, diagnosis, message }) => logger.info({ verdict, diagnosis, message }, 'verdict changed'),
  onError: (err) => logger.error({ err }, 'request failed'),
});
logger.info({ url: mcp.url, managementPort: mcp.management.port, auth: env.AUTH }, 'mcp started');

drainOnSignal({ seconds: env.DRAIN_SECONDS, logger, steps: mcp.drain });
