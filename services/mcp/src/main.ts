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
  oauth:
    env.OAUTH_ISSUER === undefined || env.PUBLIC_URL === undefined
      ? undefined
      : {
          issuer: env.OAUTH_ISSUER,
          audience: env.OAUTH_AUDIENCE,
          scopes: env.OAUTH_SCOPES,
          publicUrl: env.PUBLIC_URL,
          allowHttp: env.OAUTH_ALLOW_HTTP,
        },
  internalKey: env.INTERNAL_KEY,
  allowedHosts: env.ALLOWED_HOSTS,
  allowedOrigins: env.ALLOWED_ORIGINS,
  handshakeTimeoutMs: env.HANDSHAKE_TIMEOUT_SECONDS * 1000,
  toolsets: env.TOOLSETS,
  limits: {
    maxBodyBytes: env.MAX_BODY_BYTES,
    maxConcurrent: env.MAX_CONCURRENT_PER_CALLER,
    maxConcurrentBodyBytes: env.MAX_CONCURRENT_BODY_BYTES_PER_CALLER,
    maxRequestSeconds: env.MAX_REQUEST_SECONDS,
  },
  onVerdict: ({ verdict, diagnosis, message }) => logger.info({ verdict, diagnosis, message }, 'verdict changed'),
  onError: (err) => logger.error({ err }, 'request failed'),
  // The text may repeat what the client sent, so only the beginning is kept.
  onClientFault: (fault) => logger.info({ fault: String(fault).slice(0, 300) }, 'request refused'),
});
logger.info({ url: mcp.url, managementPort: mcp.management.port, auth: env.AUTH }, 'mcp started');

drainOnSignal({ seconds: env.DRAIN_SECONDS, logger, steps: mcp.drain });
