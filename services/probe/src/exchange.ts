import { type ClientRequest, type IncomingHttpHeaders, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import type { Phases } from './report.ts';

/** Most bytes of a body that are read. */
export const BODY_LIMIT = 64 * 1024;

/** How long a server may take to end a stream by itself once its reply is there. */
const FAREWELL_MS = 100;

export interface ExchangeRequest {
  url: URL;
  method: 'POST' | 'DELETE';
  headers: Record<string, string>;
  body?: string;
  /** Ends the exchange; what came until then is returned with the error DEADLINE. */
  signal: AbortSignal;
  /** Resolves the name in place of the system's own; not asked for an address. */
  lookup?: LookupFunction | undefined;
  /** Called with the head; the function it returns gets the text and says when it has seen enough. */
  read?: (status: number, contentType: string | null) => (text: string) => boolean;
}

/** What happened on the wire, whatever happened. */
export interface Exchange {
  status: number | null;
  contentType: string | null;
  headers: IncomingHttpHeaders;
  body: string;
  tooLong: boolean;
  error: { code: string; message: string } | null;
  connected: boolean;
  phases: Phases;
}

/** One HTTP request on a connection of its own, which is closed when this resolves. Never rejects. */
export function exchange(options: ExchangeRequest): Promise<Exchange> {
  const started = performance.now();
  const since = () => Math.round((performance.now() - started) * 100) / 100;
  const seen: Exchange = {
    status: null,
    contentType: null,
    headers: {},
    body: '',
    tooLong: false,
    error: null,
    connected: false,
    phases: { dnsMs: null, connectMs: null, tlsMs: null, firstByteMs: null, totalMs: 0 },
  };

  return new Promise((resolve) => {
    let over = false;
    let request: ClientRequest | undefined;
    let socket: Socket | undefined;
    let farewell: NodeJS.Timeout | undefined;

    function finish(error: Exchange['error']): void {
      if (over) return;
      over = true;
      clearTimeout(farewell);
      options.signal.removeEventListener('abort', onAbort);
      if (farewell === undefined) seen.phases.totalMs = since();
      seen.error = farewell === undefined ? error : null;
      if (socket === undefined || socket.destroyed) resolve(seen);
      else socket.once('close', () => resolve(seen));
      request?.destroy();
    }
    function onAbort(): void {
      finish({ code: 'DEADLINE', message: 'time limit reached' });
    }
    function connected(): void {
      seen.connected = true;
      seen.phases.connectMs ??= since();
    }

    // Before there is a request: one that is destroyed at once still emits an error, which nobody would hear yet.
    if (options.signal.aborted) return onAbort();
    try {
      request = open(options);
    } catch (error) {
      // Node refuses header names and values that HTTP does not allow before it connects.
      return finish(describe(error));
    }
    options.signal.addEventListener('abort', onAbort, { once: true });

    request.on('socket', (opened) => {
      socket = opened;
      // Not emitted for an address that needs no look-up.
      opened.once('lookup', () => {
        seen.phases.dnsMs = since();
      });
      opened.once('connect', connected);
      opened.once('secureConnect', () => {
        seen.phases.tlsMs = since();
      });
    });
    request.on('error', (error) => finish(describe(error)));
    // Nobody asked for it. Without this the reply would be lost and the server called silent.
    request.on('upgrade', (response, opened) => {
      seen.phases.firstByteMs = since();
      seen.status = response.statusCode ?? null;
      seen.headers = response.headers;
      finish(null);
      opened.destroy();
    });
    request.on('response', (response) => {
      seen.phases.firstByteMs = since();
      seen.status = response.statusCode ?? null;
      seen.contentType = response.headers['content-type'] ?? null;
      seen.headers = response.headers;
      const enough = options.read?.(response.statusCode ?? 0, seen.contentType) ?? (() => false);
      let bytes = 0;
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        if (over || farewell !== undefined) return;
        bytes += Buffer.byteLength(text);
        if (bytes > BODY_LIMIT) {
          seen.tooLong = true;
          return finish(null);
        }
        seen.body += text;
        if (!enough(text)) return;
        seen.phases.totalMs = since();
        // Cutting the stream at once would look to the server like a client that gave up.
        farewell = setTimeout(() => finish(null), FAREWELL_MS);
      });
      response.on('end', () => finish(null));
      response.on('error', (error) => finish(describe(error)));
      response.on('close', () =>
        finish({ code: 'ECONNRESET', message: 'connection closed in the middle of the reply' }),
      );
    });
    request.end(options.body);
  });
}

function open(options: ExchangeRequest): ClientRequest {
  const settings: RequestOptions = {
    method: options.method,
    headers: options.headers,
    agent: false,
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
  };
  return options.url.protocol === 'https:' ? requestHttps(options.url, settings) : requestHttp(options.url, settings);
}

/** Happy eyeballs gives an AggregateError whose own code and message are empty. */
function describe(error: unknown): { code: string; message: string } {
  const cause = error instanceof AggregateError ? error.errors[0] : error;
  if (!(cause instanceof Error)) return { code: 'UNKNOWN', message: 'unknown error' };
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : 'UNKNOWN';
  return { code, message: cause.message };
}
