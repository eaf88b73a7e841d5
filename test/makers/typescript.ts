/** Servers of the TypeScript SDKs, inside this process. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer as LegacyServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Maker } from './maker.ts';

const NAME = { name: 'maker', version: '1' };
const DESCRIPTION = 'Adds two numbers';
const shape = { a: z.number(), b: z.number() };
const add = ({ a, b }: { a: number; b: number }) => ({ content: [{ type: 'text' as const, text: String(a + b) }] });

function legacyServer(): LegacyServer {
  const server = new LegacyServer(NAME);
  server.registerTool('add', { description: DESCRIPTION, inputSchema: shape }, add);
  return server;
}

/** SDK v1 as its own examples have it: a transport a session, kept until the DELETE. */
export async function startSdk1(stateless: boolean): Promise<Maker> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  return await listen(
    async (request, response) => {
      const id = String(request.headers['mcp-session-id'] ?? '');
      const known = sessions.get(id);
      if (known !== undefined) return known.handleRequest(request, response);
      if (id !== '') return void response.writeHead(404).end();
      const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
        ...(stateless ? {} : { sessionIdGenerator: () => randomUUID() }),
        onsessioninitialized: (made) => void sessions.set(made, transport),
        onsessionclosed: (made) => void sessions.delete(made),
      });
      // The types of this package predate exactOptionalPropertyTypes.
      await legacyServer().connect(transport as Parameters<LegacyServer['connect']>[0]);
      await transport.handleRequest(request, response);
    },
    () => sessions.size,
  );
}

/** SDK v2 that speaks 2026-07-28 alone. */
export async function startSdk2Strict(): Promise<Maker> {
  const handler = createMcpHandler(
    () => {
      const server = new McpServer(NAME);
      server.registerTool('add', { description: DESCRIPTION, inputSchema: z.object(shape) }, add);
      return server;
    },
    { legacy: 'reject' },
  );
  const serve = toNodeHandler(handler);
  return await listen(
    async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      await serve(plain(request), response, text === '' ? undefined : JSON.parse(text));
    },
    () => 0,
  );
}

/** The body was read already, so the SDK gets the head alone. */
function plain({ method = 'POST', url = '/', headers }: IncomingMessage) {
  return { method, url, headers, async *[Symbol.asyncIterator]() {} };
}

async function listen(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>,
  sessions: () => number,
): Promise<Maker> {
  const listener: RequestListener = (request, response) => {
    answer(request, response).catch(() => response.destroy());
  };
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/mcp`,
    sessions: async () => sessions(),
    residentBytes: async () => 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
