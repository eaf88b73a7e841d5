/** The MCP service as a process; environment in `docs/design/contracts.md`. */
import { createLogger, drainOnSignal, processVariables, readEnvironment } from '@klingapi/management';
import { z } from 'zod';
import { startMcp } from './server.ts';

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

const env = readEnvironment(
  z
    .object({
      ...processVariables,
      PORT: z.coerce.number().int().min(0).max(65535).default(5510),
      MCP_PATH: z.string().startsWith('/').default('/mcp/v1'),
      API_URL: z.url({ protocol: /^https?$/ }),
      // No default: who forgets it shall not serve everybody.
      AUTH: z.enum(['callers', 'none']),
      CALLERS_DIR: z.string().optional(),
      INTERNAL_KEY: z.string().min(32, 'needs at least 32 bytes').optional(),
      ALLOWED_HOSTS: list.default([]),
      ALLOWED_ORIGINS: list.default([]),
      HANDSHAKE_TIMEOUT_SECONDS: z.coerce.number().positive().max(300).default(3),
    })
    .refine(({ AUTH, CALLERS_DIR }) => AUTH !== 'callers' || CALLERS_DIR !== undefined, {
      path: ['CALLERS_DIR'],
      message: 'needed for AUTH=callers',
    })
    .refine(({ AUTH, INTERNAL_KEY }) => AUTH !== 'callers' || INTERNAL_KEY !== undefined, {
      path: ['INTERNAL_KEY_FILE'],
      message: 'needed for AUTH=callers',
    }),
  process.env,
  { files: ['INTERNAL_KEY'] },
);
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
