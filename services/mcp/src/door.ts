import type { ServerResponse } from 'node:http';
import { type Authenticator, type Identity, isRefusal } from '@klingapi/identity';
import { hostGuard, isAllowedOrigin } from '@klingapi/management';
import type { NodeMcpRequestHandler } from '@modelcontextprotocol/node';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { isAdmitted, neededScope, summarise } from './admission.ts';
import { authInfoOf } from './call.ts';
import { challenge, forbid } from './challenge.ts';
import { allowPage, answerPreflight } from './cors.ts';
import type { FaultSorter } from './fault-sorter.ts';
import { createPlaces, type Limits, overTime } from './limits.ts';
import type { RequestMetrics } from './metrics.ts';
import type { ProtectedResource } from './oauth/protected-resource.ts';
import { refuse } from './refuse.ts';
import type { Answer, Shortcuts } from './shortcuts.ts';

/** For a request to arrive; Fastify's default lets a client drip one for ever. Replies may take longer. */
const ARRIVES_WITHIN_MS = 120_000;
/** Counts a request whose client left before it was answered. */
const CLIENT_LEFT = 499;
/** Made once: each has a trace, and there is one for each request. */
const HAS_LEFT = new Error('the connection of the client is closed');
/** For a call that was ended to say so, before its connection is closed. */
const FAREWELL_MS = 5_000;

export interface DoorOptions {
  path: string;
  allowedHosts: readonly string[];
  allowedOrigins: readonly string[];
  authenticate: Authenticator;
  /** With OAuth: what clients are told about getting tokens. */
  resource: ProtectedResource | null;
  /** GET and DELETE are for sessions alone. */
  sessions?: boolean;
  limits: Limits;
  metrics: RequestMetrics;
  faults: FaultSorter;
  /** Writes the whole reply to the raw response. */
  serve: NodeMcpRequestHandler;
  /** Around `serve`, to the same answers; null where every request goes there. */
  shortcuts: Shortcuts | null;
  onError: (error: unknown) => void;
}

/**
 * The HTTP side of the MCP endpoint: who may speak, from where, how much. Every
 * refusal is a JSON-RPC error, because that is what the client on the other side
 * can show.
 */
export function buildDoor(options: DoorOptions): FastifyInstance {
  const { resource, limits, metrics } = options;
  const places = createPlaces(limits);
  const isHost = hostGuard(options.allowedHosts);
  metrics.inFlight(places.taken);
  const app = Fastify({ bodyLimit: limits.maxBodyBytes, requestTimeout: ARRIVES_WITHIN_MS, logger: false });
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
    if (status === 413) metrics.limited('body');
    const message = status < 500 && error instanceof Error ? (hint(status, limits) ?? error.message) : 'Internal error';
    return refuse(reply, status, numberIn(error, 'rpcCode') ?? (status < 500 ? -32600 : -32603), message);
  });
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, -32600, 'There is nothing at this path'));

  // Before the body is read: who is refused shall not make us read 16 MiB first.
  app.addHook('onRequest', (request, reply, done) => {
    if (!isHost(request.headers.host)) return void refuse(reply, 403, -32600, 'This Host is not allowed');
    // What stands in the metadata is for everybody to read, from any page.
    if (resource?.metadataPaths.includes(request.routeOptions.url ?? '') === true) return done();
    if (!isAllowedOrigin(request.headers.origin, options.allowedOrigins)) {
      return void refuse(reply, 403, -32600, 'This Origin is not allowed');
    }
    allowPage(request, reply);
    done();
  });

  /** What is neither a list nor a stream, and so may take its time. */
  async function serve(request: FastifyRequest, reply: FastifyReply, identity: Identity, shortcuts: Shortcuts | null) {
    const { body } = request;
    // Nothing would tell what comes below of it.
    if (reply.raw.destroyed) return reply.hijack();
    const ended = new AbortController();
    const timers = endAfter(limits.maxRequestSeconds, () => {
      metrics.limited('time');
      ended.abort(overTime(limits.maxRequestSeconds));
      return reply.raw;
    });
    reply.raw.once('close', () => {
      timers.clear();
      ended.abort(HAS_LEFT);
    });
    const auth = authInfoOf({ ...identity, ended: ended.signal });
    const answer = await shortcuts?.called(request.headers, body, { auth, signal: ended.signal });
    if (answer) return give(reply.hijack().raw, answer, body);
    reply.hijack();
    await options.faults.during(reply.raw, () => options.serve(plain(request.raw, auth), reply.raw, body));
  }

  const served = options.sessions === true ? ['POST', 'GET', 'DELETE'] : ['POST'];
  app.route({
    method: ['GET', 'DELETE', 'PUT', 'PATCH'].filter((method) => !served.includes(method)),
    url: options.path,
    handler: (_request, reply) =>
      refuse(reply.header('allow', served.join(', ')), 405, -32600, `Only ${served.join(', ')} is served here`),
  });

  app.options(options.path, (request, reply) => answerPreflight(request, reply, served));

  for (const path of resource?.metadataPaths ?? []) {
    const open = (reply: FastifyReply) => reply.header('access-control-allow-origin', '*');
    // Clients in a page send the protocol version along, and so ask first.
    app.options(path, (request, reply) => answerPreflight(request, open(reply), ['GET']));
    app.get(path, (_request, reply) =>
      open(reply).header('cache-control', 'public, max-age=300').send(resource?.metadata),
    );
  }

  app.route({
    method: served,
    url: options.path,
    onRequest: async (request, reply) => {
      const identity = await options.authenticate(request.headers.authorization);
      if (isRefusal(identity)) return challenge(reply, identity.error, resource);
      // Who left while the token was looked at would keep a place for ever: nothing tells of it again.
      if (reply.raw.destroyed) return reply.hijack();
      const leave = places.take(identity.subject, announcedBytes(request, limits.maxBodyBytes));
      if (leave === null) {
        metrics.limited('concurrency');
        return refuse(
          reply.header('retry-after', '1'),
          429,
          -32600,
          'This caller has too many requests open; wait for some to end',
        );
      }
      reply.raw.once('close', leave);
      request.identity = identity;
    },
    handler: async (request, reply) => {
      const started = performance.now();
      const { identity, body } = request;
      const summary = summarise(body);
      reply.raw.once('close', () => {
        const status = reply.raw.headersSent ? reply.raw.statusCode : CLIENT_LEFT;
        metrics.observe(summary, status, (performance.now() - started) / 1000);
      });
      // Whoever may open a session may end it.
      const needed = request.method === 'DELETE' ? 'handshake' : neededScope(summary);
      if (identity === null || !isAdmitted(identity, needed)) return forbid(reply, needed, resource);
      const shortcuts = comesToSee(identity) ? null : options.shortcuts;
      const listed = shortcuts?.listed(request.headers, body);
      const list = listed instanceof Promise ? await listed : listed;
      if (list) return give(reply.hijack().raw, list, body);
      const listening = shortcuts?.listening(request.headers, body, reply.raw);
      if (listening && (await listening)) {
        // It is kept as long as the stream otherwise.
        request.body = null;
        return reply.hijack();
      }
      return serve(request, reply, identity, shortcuts);
    },
  });
  app.decorateRequest('identity', null);
  return app;
}

/** Whoever comes only to see whether the server speaks MCP is answered by that which speaks it. */
function comesToSee({ scopes }: Identity): boolean {
  return scopes.every((scope) => scope === 'handshake');
}

function give(response: ServerResponse, { headers, before, after }: Answer, message: unknown): void {
  const rest = Buffer.from(`${JSON.stringify(Object(message).id)}${after}`);
  response.writeHead(200, { ...headers, 'content-length': before.length + rest.length });
  response.write(before);
  response.end(rest);
}

/** Where Fastify's own words name no way out. */
function hint(status: number, { maxBodyBytes }: Limits): string | undefined {
  if (status === 415) return 'Send application/json';
  if (status !== 413) return undefined;
  const most = maxBodyBytes >= 1024 ** 2 ? `${Math.floor(maxBodyBytes / 1024 ** 2)} MiB` : `${maxBodyBytes} bytes`;
  return `The body may have ${most} at most; give large pictures as http(s) URLs`;
}

/** A body of unknown length may become as long as any. */
function announcedBytes({ headers }: FastifyRequest, limit: number): number {
  const length = Number(headers['content-length'] ?? limit);
  return Number.isSafeInteger(length) ? Math.min(length, limit) : limit;
}

/** Calls `end` when the time is over and, if the reply is still open a little later, closes its connection. */
function endAfter(seconds: number, end: () => { destroy: () => void }): { clear: () => void } {
  let timer = setTimeout(() => {
    const reply = end();
    timer = setTimeout(() => reply.destroy(), FAREWELL_MS);
  }, seconds * 1000);
  return { clear: () => clearTimeout(timer) };
}

/** The body was read already, so the SDK gets the head alone. */
function plain({ method = 'POST', url = '/', headers }: FastifyRequest['raw'], auth: ReturnType<typeof authInfoOf>) {
  return { method, url, headers, auth, async *[Symbol.asyncIterator]() {} };
}

function numberIn(error: unknown, key: 'statusCode' | 'rpcCode'): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const value: unknown = Reflect.get(error, key);
  return typeof value === 'number' ? value : undefined;
}
