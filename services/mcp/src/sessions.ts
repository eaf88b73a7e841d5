import { randomUUID } from 'node:crypto';
import {
  type AuthInfo,
  classifyInboundRequest,
  isInitializeRequest,
  type McpHttpHandler,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';

export interface SessionOptions {
  /** Most sessions that are open at a time; more are refused with 503. */
  limit: number;
  /** A session that was not used for this long is closed: clients seldom close theirs. */
  idleSeconds: number;
}

export interface SessionLeg {
  /** Takes what belongs to a session of the older era; null for what does not. */
  fetch(request: Request, options: { authInfo?: AuthInfo; parsedBody?: unknown }): Promise<Response> | null;
  close(): Promise<void>;
}

interface Session {
  server: McpServer;
  transport: WebStandardStreamableHTTPServerTransport;
  /** Who opened it; nobody else may use it. */
  owner: string | undefined;
  usedAt: number;
}

/**
 * The older era with sessions, in which a server can ask its client something in
 * the middle of a call. Off in production: a session lives in one process, so it
 * would not survive a second replica or a restart, and nothing here needs one.
 *
 * @param build makes the server of one session
 */
export function createSessionLeg(
  options: SessionOptions,
  build: (caller: AuthInfo | undefined) => McpServer,
): SessionLeg {
  const sessions = new Map<string, Session>();

  const drop = async (id: string): Promise<void> => {
    const session = sessions.get(id);
    sessions.delete(id);
    await session?.server.close();
  };
  const sweeper = setInterval(() => {
    const oldest = performance.now() - options.idleSeconds * 1000;
    for (const [id, { usedAt }] of sessions) if (usedAt < oldest) void drop(id).catch(() => {});
  }, options.idleSeconds * 250);
  sweeper.unref();

  async function open(request: Request, given: { authInfo?: AuthInfo; parsedBody?: unknown }): Promise<Response> {
    if (sessions.size >= options.limit) {
      return refuse(503, 'Too many sessions are open; try again later', { 'retry-after': '30' });
    }
    const server = build(given.authInfo);
    const owner = given.authInfo?.clientId;
    const transport: WebStandardStreamableHTTPServerTransport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized(id) {
        sessions.set(id, { server, transport, owner, usedAt: performance.now() });
      },
      onsessionclosed: drop,
    });
    await server.connect(transport);
    return await transport.handleRequest(request, given);
  }

  return {
    fetch(request, given) {
      const { parsedBody: body } = given;
      const header = (name: string) => request.headers.get(name) ?? undefined;
      const protocolVersion = header('mcp-protocol-version');
      const method = header('mcp-method');
      const { kind } = classifyInboundRequest({
        httpMethod: request.method,
        ...(protocolVersion === undefined ? {} : { protocolVersionHeader: protocolVersion }),
        ...(method === undefined ? {} : { mcpMethodHeader: method }),
        ...(body === undefined ? {} : { body }),
      });
      if (kind !== 'legacy') return null;
      const id = header('mcp-session-id');
      if (id === undefined && isInitializeRequest(body)) return open(request, given);
      if (id === undefined) return Promise.resolve(refuse(400, 'A session id is needed'));
      const session = sessions.get(id);
      if (session === undefined || session.owner !== given.authInfo?.clientId) {
        return Promise.resolve(refuse(404, 'There is no such session'));
      }
      session.usedAt = performance.now();
      return session.transport.handleRequest(request, given);
    },
    async close() {
      clearInterval(sweeper);
      await Promise.allSettled([...sessions.keys()].map(drop));
    },
  };
}

/** One handler for both eras: sessions first, everything else as before. */
export function withSessions(handler: McpHttpHandler, leg: SessionLeg): Pick<McpHttpHandler, 'fetch' | 'close'> {
  return {
    fetch: async (request, options = {}) => await (leg.fetch(request, options) ?? handler.fetch(request, options)),
    async close() {
      await leg.close();
      await handler.close();
    },
  };
}

function refuse(status: number, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ jsonrpc: '2.0', id: null, error: { code: -32600, message } }, { status, headers });
}
