import { type Authenticator, isRefusal } from '@klingapi/identity';
import type { NodeMcpRequestHandler } from '@modelcontextprotocol/node';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { isAdmitted, summarise } from './admission.ts';
import { authInfoOf } from './call.ts';
import type { RequestMetrics } from './metrics.ts';
import { isAllowedHost, isAllowedOrigin } from './origin.ts';

/** Pictures travel in arguments, in Base64. */
const BODY_LIMIT = 16 * 1024 * 1024;
/** For a request to arrive; Fastify's default lets a client drip one for ever. Replies may take longer. */
const ARRIVES_WITHIN_MS = 120_000;

export interface DoorOptions {
  path: string;
  allowedHosts: readonly string[];
  allowedOrigins: readonly string[];
  authenticate: Authenticator;
  metrics: RequestMetrics;
  /** Writes the whole reply to the raw response. */
  serve: NodeMcpRequestHandler;
  onError: (error: unknown) => void;
}

/**
 * The HTTP side of the MCP endpoint: who may speak, from where, how much. Every
 * refusal is a JSON-RPC error, because that is what the client on the other side
 * can show.
 */
export function buildDoor(options: DoorOptions): FastifyInstance {
  const app = Fastify({ bodyLimit: BODY_LIMIT, requestTimeout: ARRIVES_WITHIN_MS, logger: false });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, JSON.parse(String(body)));
    } catch {
      done(Object.assign(new Error('The body is not JSON'), { statusCode: 400, rpcCode: -32700 }));
    }
  });
  app.setErrorHandler((error, _request, reply) => {
    const status = numberIn(error, 'statusCode') ?? 500;
    if (status >= 500) options.onError(error);
    const message = status < 500 && error instanceof Error ? (HINTS[status] ?? error.message) : 'Internal error';
    return refuse(reply, status, numberIn(error, 'rpcCode') ?? (status < 500 ? -32600 : -32603), message);
  });
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, -32600, 'There is nothing at this path'));

  // Before the body is read: who is refused shall not make us read 16 MiB first.
  app.addHook('onRequest', async (request, reply) => {
    if (!isAllowedHost(request.headers.host, options.allowedHosts)) {
      return refuse(reply, 403, -32600, 'This Host is not allowed');
    }
    if (!isAllowedOrigin(request.headers.origin, options.allowedOrigins)) {
      return refuse(reply, 403, -32600, 'This Origin is not allowed');
    }
  });

  app.route({
    method: ['GET', 'DELETE', 'PUT', 'PATCH'],
    url: options.path,
    handler: (_request, reply) => refuse(reply.header('allow', 'POST'), 405, -32600, 'Only POST is served here'),
  });

  app.post(options.path, {
    onRequest: async (request, reply) => {
      const identity = await options.authenticate(request.headers.authorization);
      if (isRefusal(identity)) {
        return refuse(reply.header('www-authenticate', 'Bearer'), 401, -32600, identity.error.message);
      }
      request.identity = identity;
    },
    handler: async (request, reply) => {
      const started = performance.now();
      const { identity } = request;
      const summary = summarise(request.body);
      reply.raw.once('close', () => {
        options.metrics.observe(summary, reply.raw.statusCode, (performance.now() - started) / 1000);
      });
      if (identity === null || !isAdmitted(identity, summary)) {
        return refuse(reply, 403, -32600, 'This caller may only initialize, discover and list');
      }
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const auth = authInfoOf({ ...identity, disconnected: gone.signal });
      reply.hijack();
      await options.serve(plain(request.raw, auth), reply.raw, request.body);
    },
  });
  app.decorateRequest('identity', null);
  return app;
}

/** Where Fastify's own words name no way out. */
const HINTS: Readonly<Record<number, string>> = {
  413: 'The body may have 16 MiB at most; give large pictures as http(s) URLs',
  415: 'Send application/json',
};

/** The body was read already, so the SDK gets the head alone. */
function plain({ method = 'POST', url = '/', headers }: FastifyRequest['raw'], auth: ReturnType<typeof authInfoOf>) {
  return { method, url, headers, auth, async *[Symbol.asyncIterator]() {} };
}

function refuse(reply: FastifyReply, status: number, code: number, message: string): FastifyReply {
  return reply.code(status).send({ jsonrpc: '2.0', id: null, error: { code, message } });
}

function numberIn(error: unknown, key: 'statusCode' | 'rpcCode'): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const value: unknown = Reflect.get(error, key);
  return typeof value === 'number' ? value : undefined;
}
