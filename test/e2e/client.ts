/** MCP clients through the Service, under its name, as a client inside the cluster has it. */
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Agent, fetch as undiciFetch } from 'undici';
import { getJson } from './kubectl.ts';

/** A `fetch` that finds the Services of a namespace at their cluster addresses, as the cluster's DNS would. */
export async function serviceFetch(namespace: string): Promise<{ fetch: typeof fetch; close: () => Promise<void> }> {
  const services = await getJson(['get', 'services', '-n', namespace]);
  const addresses = new Map<string, string>(
    services.items.map((item: { metadata: { name: string }; spec: { clusterIP: string } }) => [
      `${item.metadata.name}.${namespace}.svc`,
      item.spec.clusterIP,
    ]),
  );
  const agent = new Agent({
    connect: {
      lookup: (host, _options, done) => {
        const address = addresses.get(host);
        if (address === undefined) done(new Error(`${host} is no Service of namespace ${namespace}`), []);
        else done(null, [{ address, family: 4 }]);
      },
    },
    headersTimeout: 330_000,
    bodyTimeout: 330_000,
  });
  const through = ((input: string | URL, init?: RequestInit) =>
    undiciFetch(input, { ...(init as object), dispatcher: agent })) as unknown as typeof fetch;
  return { fetch: through, close: () => agent.close() };
}

export interface Content {
  type: string;
  data?: string;
  mimeType?: string;
  text?: string;
}

export interface ToolResult {
  isError?: boolean | undefined;
  content: Content[];
  structuredContent?: Record<string, unknown> | undefined;
}

export interface McpClient {
  era: 'Legacy' | 'Modern';
  listTools(): Promise<string[]>;
  callTool(name: string, args?: Record<string, unknown>): Promise<ToolResult>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  url: string;
  /** Bearer key of a caller. */
  key?: string;
  fetch?: typeof fetch;
}

const requestInit = (key: string | undefined): { requestInit?: RequestInit } =>
  key === undefined ? {} : { requestInit: { headers: { authorization: `Bearer ${key}` } } };
const LONG = { timeout: 330_000 };

/** The client of protocol 2025-11-25 and older: `@modelcontextprotocol/sdk`. */
export async function legacyClient(options: ConnectOptions): Promise<McpClient> {
  const client = new LegacyClient({ name: 'e2e-legacy', version: '1.0.0' });
  await client.connect(
    new LegacyTransport(new URL(options.url), {
      ...requestInit(options.key),
      ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    }) as unknown as Parameters<typeof client.connect>[0],
  );
  return {
    era: 'Legacy',
    listTools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    callTool: async (name, args = {}) =>
      (await client.callTool({ name, arguments: args }, undefined, LONG)) as ToolResult,
    close: () => client.close(),
  };
}

/** The client of protocol 2026-07-28: `@modelcontextprotocol/client`. */
export async function modernClient(options: ConnectOptions): Promise<McpClient> {
  const client = new ModernClient(
    { name: 'e2e-modern', version: '1.0.0' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  await client.connect(
    new ModernTransport(new URL(options.url), {
      ...requestInit(options.key),
      ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    }),
  );
  return {
    era: 'Modern',
    listTools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    callTool: async (name, args = {}) => (await client.callTool({ name, arguments: args }, LONG)) as ToolResult,
    close: () => client.close(),
  };
}

/** What an independent client finds behind the Service of a KlingApi, over a connection of its own: the names of the tools. */
export async function toolsThroughService(namespace: string, url: string, key: string): Promise<string[]> {
  const service = await serviceFetch(namespace);
  let client: McpClient | undefined;
  try {
    client = await legacyClient({ url, key, fetch: service.fetch });
    return await client.listTools();
  } finally {
    await client?.close();
    await service.close();
  }
}
