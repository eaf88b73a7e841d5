/**
 * Connections, credentials and deadlines of the calls to one API server. Configuration and authentication are those of
 * `@kubernetes/client-node`; requests go through undici itself, because that package opens a connection for every call.
 */
import { HttpMethod, type KubeConfig, RequestContext } from '@kubernetes/client-node';
import { Agent, type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { codeOf, KubeError } from './errors.ts';

export interface WireRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
  readonly accept?: string | undefined;
  readonly signal: AbortSignal;
}

export interface WireReply {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  readonly body: Dispatcher.ResponseData['body'];
}

export interface Transport {
  /** Host and port, for metrics. */
  readonly host: string;
  /** @throws whatever undici throws where no reply came */
  send(request: WireRequest): Promise<WireReply>;
  close(): Promise<void>;
}

/** Buffers as base64: written out byte by byte they would cost more than the call. */
const keyOf = (options: unknown): string =>
  JSON.stringify(options, function (this: Record<string, unknown>, name, value: unknown) {
    const raw = this[name];
    return Buffer.isBuffer(raw) ? raw.toString('base64') : value;
  });

type CreateDispatcher = (...options: Parameters<KubeConfig['createDispatcherOptions']>) => Dispatcher | undefined;

/**
 * HTTP/1.1 only. Over HTTP/2 all calls and watches share one connection, and ending a call that hangs leaves that connection
 * in place: one that died silently would swallow every later call as well, until TCP gives up after a quarter of an hour.
 * undici's dispatchers heed this option of a request, its types do not name it.
 */
const HTTP1 = { allowH2: false } as const;

/**
 * Makes `kubeConfig` hand out one dispatcher for the same TLS options instead of a new one, with a new connection, for every
 * call. A rotated CA or certificate has other options, so it gets a dispatcher of its own and the former one drains.
 *
 * @returns ends all connections
 */
function shareDispatchers(kubeConfig: KubeConfig): () => Promise<void> {
  const open = new Map<string, Dispatcher>();
  // private in the types of client-node, a plain method in its code
  const original: unknown = Reflect.get(kubeConfig, 'createDispatcher');
  if (typeof original !== 'function')
    throw new TypeError('KubeConfig.createDispatcher is gone: see operator/src/kube/transport.ts');
  const create: CreateDispatcher = original.bind(kubeConfig);
  const shared: CreateDispatcher = (cluster, options) => {
    const key = keyOf([cluster, options]);
    const known = open.get(key);
    if (known !== undefined) return known;
    for (const [old, dispatcher] of open) {
      open.delete(old);
      dispatcher.close().catch(() => {});
    }
    const dispatcher = create(cluster, options) ?? new Agent();
    open.set(key, dispatcher);
    return dispatcher;
  };
  Object.defineProperty(kubeConfig, 'createDispatcher', { value: shared, configurable: true });
  return async () => {
    const all = [...open.values()];
    open.clear();
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
  };
}

/** `Retry-After` in seconds or as a date. */
function retryAfter(header: string | string[] | undefined): number | undefined {
  const value = Array.isArray(header) ? header[0] : header;
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

export function createTransport(kubeConfig: KubeConfig, userAgent: string): Transport {
  const server = kubeConfig.getCurrentCluster()?.server.replace(/\/+$/, '');
  if (server === undefined) throw new TypeError('The kubeconfig names no cluster');
  const close = shareDispatchers(kubeConfig);
  return {
    host: new URL(server).host,
    async send({ method, path, body, contentType, accept, signal }) {
      const url = `${server}${path}`;
      const context = new RequestContext(url, HttpMethod[method]);
      // reads token and certificate files again when they are a minute old, so a rotated token is picked up
      await kubeConfig.applySecurityAuthentication(context);
      const dispatcher = context.getDispatcher();
      const reply = await request(url, {
        ...HTTP1,
        method,
        headers: {
          ...context.getHeaders(),
          accept: accept ?? 'application/json',
          'user-agent': userAgent,
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
        },
        ...(body === undefined ? {} : { body }),
        ...(dispatcher === undefined ? {} : { dispatcher }),
        signal,
        // the caller's signal is the deadline; a watch may be silent for longer than undici's own limits
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      return { status: reply.statusCode, retryAfterMs: retryAfter(reply.headers['retry-after']), body: reply.body };
    },
    close,
  };
}

const statusSchema = z.object({
  message: z.string().optional(),
  reason: z.string().optional(),
  code: z.number().optional(),
  details: z.unknown().optional(),
});

export const parseStatus = (value: unknown): z.output<typeof statusSchema> => statusSchema.safeParse(value).data ?? {};

/** @param text body of a reply whose status is 400 or more */
export function rejection(status: number, text: string, call: string, retryAfterMs?: number): KubeError {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = { message: text.slice(0, 256) };
  }
  const { message, reason, details } = parseStatus(body);
  return new KubeError({
    code: codeOf(status, reason),
    message: message === undefined || message === '' ? `${call} was answered with HTTP ${status}` : message,
    status,
    reason,
    details,
    retryAfterMs,
  });
}

/** What a call that got no reply failed of. @param ended why the signal was aborted, if it was */
export function noAnswer(error: unknown, call: string, ended: 'deadline' | 'caller' | null): KubeError {
  if (error instanceof KubeError) return error;
  if (ended === 'deadline')
    return new KubeError({ code: 'Timeout', message: `${call} was not answered in time`, cause: error });
  if (ended === 'caller')
    return new KubeError({ code: 'Aborted', message: `${call} was ended by its caller`, cause: error });
  return new KubeError({ code: 'Unreachable', message: `${call} got no answer: ${reasonOf(error)}`, cause: error });
}

/** undici wraps what happened to the socket; an AggregateError of tried addresses has no message of its own. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  return error.cause instanceof Error ? `${error.message}: ${reasonOf(error.cause)}` : error.message;
}
