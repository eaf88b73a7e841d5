/** The MCP service as it ships, with the original's eight tools and a backend inside the process. */
import { startMcp, TOOL_NAMES } from '@klingapi/mcp';
import { BACKEND } from './backend.ts';

const mcp = await startMcp({
  host: '127.0.0.1',
  port: 0,
  path: '/mcp/v1',
  management: { host: '127.0.0.1', port: 0 },
  apiUrl: 'http://127.0.0.1:9',
  api: BACKEND,
  only: TOOL_NAMES.slice(0, 8),
  auth: 'none',
  callersDir: undefined,
  internalKey: undefined,
  allowedHosts: [],
  allowedOrigins: [],
  handshakeTimeoutMs: 5_000,
  // All streams come from one caller here.
  limits: { maxConcurrent: 2_000 },
  onError: console.error,
});
console.log(JSON.stringify({ port: Number(new URL(mcp.url).port), managementPort: mcp.management.port }));
process.once('SIGTERM', () => void mcp.close().then(() => process.exit(0)));
