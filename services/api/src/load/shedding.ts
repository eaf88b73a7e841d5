import { PassThrough, Readable } from 'node:stream';
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onSendHookHandler,
  preParsingHookHandler,
  RequestPayload,
} from 'fastify';
import { linger } from '../linger.ts';
import { ownProblem, type ProblemError } from '../problem.ts';
import { routeOf } from '../route.ts';
import { type Load, type LoadClass, type ShedReason, SMALL_BODY_BYTES } from './load.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Without it: `read` for GET and HEAD, `vital` for OPTIONS, else `work`. */
    readonly load?: LoadClass;
    /** The body goes on in pieces and is never whole in memory. */
    readonly streamedBody?: boolean;
    /** The body is there within this time, or the connection is closed. */
    readonly arrivesWithinMs?: number;
  }
}

const DETAILS: Readonly<Record<ShedReason, string>> = {
  requests: 'too many requests are open; nothing was done, send it again later',
  bytes: 'too many large bodies are in work; nothing was done, send it again later, or give pictures as URLs',
  waiters: 'too many callers wait already; ask for the status of the task instead',
  event_loop: 'this process is behind with its work; nothing was done, send it again later',
};
const RETRY_AFTER_SECONDS: Readonly<Record<ShedReason, number>> = { requests: 1, bytes: 2, waiters: 10, event_loop: 2 };
const LOOK_MS = 500;
/** One line for each time of overload, not for each request. */
const QUIET_MS = 30_000;

/**
 * Refuses what is too much: the number before anything is looked at, the body
 * when the caller is known and before it is read, so that strangers cannot hold
 * its room. The room is given back when the answer is there, not when the
 * client goes away, because until then the body is in memory. Where a handler
 * answers by itself (`hijack`), the end of the connection is the answer.
 */
export function addShedding(app: FastifyInstance, load: Load, onShed: (reason: ShedReason) => void): void {
  const bodies = new WeakMap<FastifyRequest, () => void>();
  let lastShed = Number.NEGATIVE_INFINITY;

  const overloaded = (request: FastifyRequest, reason: ShedReason): ProblemError => {
    onShed(reason);
    const now = performance.now();
    if (now - lastShed > QUIET_MS) request.log.warn({ reason }, 'requests refused for overload');
    lastShed = now;
    return ownProblem('overloaded', DETAILS[reason], { retryAfterSeconds: RETRY_AFTER_SECONDS[reason] });
  };

  app.addHook('onRequest', (request, reply, done) => {
    const place = load.enter(classOf(request));
    if (typeof place === 'string') return done(overloaded(request, place));
    reply.raw.once('close', place);
    done();
  });
  const admit = async (request: FastifyRequest, reply: FastifyReply, payload: RequestPayload, bytes: number) => {
    const gone = new AbortController();
    const onClose = () => gone.abort();
    reply.raw.once('close', onClose);
    // Nothing is read from the connection meanwhile.
    const room = await load.hold(bytes, gone.signal);
    reply.raw.off('close', onClose);
    if (typeof room === 'string') throw overloaded(request, room);
    bodies.set(request, room);
    reply.raw.once('close', () => {
      if (reply.sent) room();
    });
    return payload instanceof Readable ? hurried(payload, load, () => giveWay(request)) : payload;
  };
  const giveWay = (request: FastifyRequest): ProblemError => {
    linger(request);
    return overloaded(request, 'bytes');
  };
  const hold: preParsingHookHandler = (request, reply, payload, done) => {
    const { arrivesWithinMs, streamedBody } = routeOf(request).config;
    if (arrivesWithinMs !== undefined && payload instanceof Readable) expire(payload, arrivesWithinMs);
    const bytes = streamedBody === true ? 0 : bytesOf(request, reply);
    if (bytes <= SMALL_BODY_BYTES) return done(null, payload);
    admit(request, reply, payload, bytes).then((body) => done(null, body), done);
  };
  const release: onSendHookHandler = (request, _reply, _payload, done) => {
    bodies.get(request)?.();
    done();
  };
  app.addHook('onRoute', (route) => {
    // What comes with these is never read.
    if ([route.method].flat().every((method) => method === 'GET' || method === 'HEAD')) return;
    route.preParsing = [hold, ...[route.preParsing ?? []].flat()];
    route.onSend = [...[route.onSend ?? []].flat(), release];
  });
}

function expire(payload: Readable, milliseconds: number): void {
  const timer = setTimeout(() => payload.destroy(new Error('the body came too slowly')), milliseconds).unref();
  for (const end of ['end', 'close'] as const) payload.once(end, () => clearTimeout(timer));
}

/**
 * The body as it is to be read. A slow client keeps its room as long as nobody
 * else wants it; then what is read ends in an error, and the client is answered.
 * @param giveWay takes leave of the rest of it
 */
function hurried(payload: Readable, load: Load, giveWay: () => Error): Readable {
  const body = new PassThrough();
  let timer: NodeJS.Timeout;
  const look = (): void => {
    if (!load.isCrowded()) {
      timer = setTimeout(look, LOOK_MS).unref();
      return;
    }
    payload.unpipe(body);
    body.destroy(giveWay());
  };
  timer = setTimeout(look, load.arrivesWithinMs).unref();
  payload.once('end', () => clearTimeout(timer));
  payload.once('close', () => {
    clearTimeout(timer);
    if (!payload.readableEnded) body.destroy(new Error('the connection broke before the body had come'));
  });
  return payload.pipe(body);
}

function classOf(request: FastifyRequest): LoadClass {
  const { method } = request;
  const { load } = routeOf(request).config;
  if (load !== undefined) return load;
  if (method === 'OPTIONS') return 'vital';
  return method === 'GET' || method === 'HEAD' ? 'read' : 'work';
}

/** As announced; a body of unknown length may become as long as any. */
function bytesOf(request: FastifyRequest, { server }: FastifyReply): number {
  const { headers } = request;
  const most = routeOf(request).bodyLimit ?? server.initialConfig.bodyLimit ?? 0;
  if (headers['transfer-encoding'] !== undefined) return most;
  const length = Number(headers['content-length'] ?? 0);
  return Number.isSafeInteger(length) ? Math.min(length, most) : most;
}
