import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { judgeCode, type KlingCode } from './codes.ts';
import type { TokenSource } from './credentials.ts';
import { KlingError } from './errors.ts';
import { pathPattern } from './path-pattern.ts';
import { envelope } from './replies.ts';

export interface ExchangeOptions {
  readonly baseUrl: string;
  readonly tokens: TokenSource;
  readonly dispatcher: Dispatcher;
  /** For the whole call, body included. */
  readonly timeoutMs: number;
  /** Breaks the call off. */
  readonly signal?: AbortSignal | undefined;
  readonly onExchange?: ((told: ExchangeTold) => void) | undefined;
}

export interface ExchangeTold {
  readonly method: 'GET' | 'POST';
  /** Without ids and models. */
  readonly path: string;
  readonly outcome: 'ok' | KlingError['kind'];
  /** Kling's business code; null when no envelope came. */
  readonly code: number | null;
  readonly milliseconds: number;
}

/**
 * Connections to Kling. A proxy of the environment (`HTTPS_PROXY`, `NO_PROXY`) is heeded as Node itself does: where
 * `NODE_USE_ENV_PROXY` is 1.
 */
export function createDispatcher(): Dispatcher {
  // The deadline of a call bounds everything.
  const options = { allowH2: false, headersTimeout: 0, bodyTimeout: 0 };
  return process.env['NODE_USE_ENV_PROXY'] === '1' ? new EnvHttpProxyAgent(options) : new Agent(options);
}

/** Far above any reply of the vendor; a peer that sends more is not Kling. */
const REPLY_LIMIT = 4 * 1024 * 1024;

/**
 * One HTTP call and nothing more: no retry. Gives `data` of the envelope.
 *
 * @throws KlingError for everything: no connection, no time left, no envelope,
 *   or an envelope whose code is not 0, on HTTP 200 too
 */
export async function exchange(
  method: 'GET' | 'POST',
  path: string,
  body: unknown,
  options: ExchangeOptions,
): Promise<unknown> {
  const started = performance.now();
  const tell = (outcome: ExchangeTold['outcome'], code: number | null) =>
    options.onExchange?.({ method, path: pathPattern(path), outcome, code, milliseconds: performance.now() - started });
  try {
    const data = await call(method, path, body, options);
    tell('ok', 0);
    return data;
  } catch (error) {
    if (error instanceof KlingError) tell(error.kind, error.code);
    throw error;
  }
}

async function call(method: 'GET' | 'POST', path: string, body: unknown, options: ExchangeOptions): Promise<unknown> {
  const token = await options.tokens.token();
  const { signal, stop } = deadline(options.timeoutMs, options.signal);
  let status: number | null = null;
  let text: string;
  try {
    // Redirects are not followed: the bearer key must not go to somebody else.
    const reply = await request(address(options.baseUrl, path), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal,
      dispatcher: options.dispatcher,
    });
    status = reply.statusCode;
    text = await boundedText(reply.body);
  } catch (error) {
    throw new KlingError({ judged: judgeTransport(error), httpStatus: status, cause: error });
  } finally {
    stop();
  }

  const parsed = envelope.safeParse(jsonOrUndefined(text));
  if (!parsed.success) {
    throw new KlingError({ judged: judgeNoEnvelope(status), httpStatus: status });
  }
  const { code, message, request_id: requestId, data } = parsed.data;
  if (code !== 0) {
    const judged = judgeCode(code, status, message);
    throw new KlingError({ judged, code, httpStatus: status, requestId, vendorMessage: message });
  }
  if (status >= 400) throw new KlingError({ judged: judgeNoEnvelope(status), code, httpStatus: status, requestId });
  return data;
}

/** Keeps the path of a base URL: `https://relay.example/kling`. */
function address(baseUrl: string, path: string): string {
  return baseUrl.replace(/\/+$/, '') + path;
}

/** Fires after the time, or when the caller's signal does. */
function deadline(milliseconds: number, caller: AbortSignal | undefined): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new DOMException('The call took too long', 'TimeoutError')),
    milliseconds,
  );
  const follow = () => controller.abort(caller?.reason);
  if (caller?.aborted === true) follow();
  caller?.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    stop() {
      clearTimeout(timer);
      caller?.removeEventListener('abort', follow);
    },
  };
}

async function boundedText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > REPLY_LIMIT) throw new Error(`the reply is larger than ${REPLY_LIMIT} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Errors before any byte was sent: the create did certainly not arrive. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function judgeTransport(error: unknown): KlingCode {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return { kind: 'timeout', read: 'again', create: 'look-up', meaning: 'Kling did not answer in time' };
  }
  const code = causeCode(error);
  const sent = code === undefined || !NEVER_SENT.has(code);
  return {
    kind: 'network',
    read: 'again',
    create: sent ? 'look-up' : 'again',
    meaning: code === undefined ? 'the connection to Kling failed' : `the connection to Kling failed (${code})`,
  };
}

function judgeNoEnvelope(status: number): KlingCode {
  if (status >= 500) {
    return { kind: 'unavailable', read: 'again', create: 'look-up', meaning: `Kling answered HTTP ${status}` };
  }
  if (status === 401) return judgeCode(1000, status, '');
  if (status === 429) return judgeCode(1302, status, '');
  return {
    kind: 'malformed',
    read: 'never',
    create: 'look-up',
    meaning: `what answered HTTP ${status} does not speak the Kling API`,
  };
}

/** The system's error code, from the error or any cause below it (fetch wraps it, and wraps several addresses in one). */
function causeCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if ('code' in at && typeof at.code === 'string') return at.code;
    if (at instanceof AggregateError && at.errors.length > 0) return causeCode(at.errors[0]);
  }
  return undefined;
}
