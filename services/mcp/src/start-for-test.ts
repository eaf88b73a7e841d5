/** For tests: the MCP service on free ports of this machine. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { INTERNAL_KEY } from './fake-api.ts';
import { type Mcp, type McpOptions, startMcp } from './server.ts';

export interface ForTest extends Partial<McpOptions> {
  apiUrl: string;
  /** Keys of callers by name; without them everybody may call. */
  callers?: Readonly<Record<string, string>>;
}

export async function startForTest({ callers, ...options }: ForTest): Promise<Mcp> {
  const callersDir = callers === undefined ? undefined : await mkdtemp(join(tmpdir(), 'callers-'));
  for (const [name, key] of Object.entries(callers ?? {})) await writeFile(join(callersDir ?? '', name), key);
  const mcp = await startMcp({
    host: '127.0.0.1',
    port: 0,
    path: '/mcp/v1',
    management: { host: '127.0.0.1', port: 0 },
    auth: callersDir === undefined ? 'none' : 'callers',
    callersDir,
    internalKey: INTERNAL_KEY,
    allowedHosts: [],
    allowedOrigins: [],
    handshakeTimeoutMs: 3000,
    ...options,
  });
  return {
    ...mcp,
    async close() {
      await mcp.close();
      if (callersDir !== undefined) await rm(callersDir, { recursive: true });
    },
  };
}
