/** One call to the API server within its deadline, and for reads the tries that fit into it. */
import type { CallOptions } from './client.ts';
import { type Clock, sleep } from './clock.ts';
import { createDeadline, type Deadline } from './deadline.ts';
import type { KubeError } from './errors.ts';
import type { KubeMetrics } from './metrics.ts';
import { noAnswer, rejection, type Transport, type WireReply, type WireRequest } from './transport.ts';

export type CallRequest = Omit<WireRequest, 'signal'>;

export interface Caller {
  /** @returns the whole body; @throws KubeError */
  call(request: CallRequest, options?: CallOptions): Promise<string>;
  /** The reply as it begins, whatever its status; @throws what undici throws */
  open(request: CallRequest, signal: AbortSignal): Promise<WireReply>;
  /** The deadline of what `open` is asked for, from when it may be asked for. */
  begin(limitMs: number, signal: AbortSignal | undefined): Promise<Deadline>;
}

export interface CallerOptions {
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
  readonly metrics: Pick<KubeMetrics, 'restRequest'> | undefined;
  readonly signal: AbortSignal | undefined;
  readonly prepare: (() => Promise<void>) | undefined;
}

/** Tries of one read that is told to come later, or whose kept connection turns out to be closed. */
const READ_TRIES = 4;
/** Where a 429 names no time. */
const BUSY_MS = 1_000;

export function createCaller(transport: Transport, options: CallerOptions): Caller {
  const { clock, requestTimeoutMs, metrics, prepare } = options;

  async function begin(limitMs: number, signal: AbortSignal | undefined): Promise<Deadline> {
    if (prepare !== undefined) await prepare();
    const signals = [options.signal, signal].filter((entry) => entry !== undefined);
    return createDeadline(clock, limitMs, signals.length > 1 ? AbortSignal.any(signals) : signals[0]);
  }

  async function open(request: CallRequest, signal: AbortSignal): Promise<WireReply> {
    const { method } = request;
    const begun = clock.monotonic();
    const count = (code: string) =>
      metrics?.restRequest({ code, method, host: transport.host, seconds: (clock.monotonic() - begun) / 1000 });
    try {
      const reply = await transport.send({ ...request, signal });
      count(String(reply.status));
      return reply;
    } catch (error) {
      count('<error>');
      throw error;
    }
  }

  /** One call with its deadline, and for reads the tries that fit into it. */
  async function call(request: CallRequest, { signal, timeoutMs }: CallOptions = {}): Promise<string> {
    const name = `${request.method} ${request.path.split('?', 1)[0]}`;
    const limit = timeoutMs ?? requestTimeoutMs;
    const deadline = await begin(limit, signal);
    const begun = clock.monotonic();
    const read = request.method === 'GET';
    try {
      for (let attempt = 1; ; attempt += 1) {
        const failure = await open(request, deadline.signal).then(
          async (reply) => {
            const text = await reply.body.text();
            return reply.status < 400 ? { text } : { error: rejection(reply.status, text, name, reply.retryAfterMs) };
          },
          (error: unknown) => ({ error: noAnswer(error, name, deadline.ended()) }),
        );
        if ('text' in failure) return failure.text;
        const wait = read && attempt < READ_TRIES ? waitBeforeReading(failure.error, attempt) : null;
        if (wait === null || clock.monotonic() - begun + wait >= limit) throw failure.error;
        await sleep(clock, wait, deadline.signal);
      }
    } catch (error) {
      // the body may break off as well
      throw noAnswer(error, name, deadline.ended());
    } finally {
      deadline.clear();
    }
  }

  return { call, open, begin };
}

/** @returns how long to wait before the same read is tried again, or null where that would not help */
function waitBeforeReading(error: KubeError, attempt: number): number | null {
  if (error.code === 'TooManyRequests') return error.retryAfterMs ?? BUSY_MS;
  // a kept connection that the server had closed meanwhile: once, on a new one
  return error.code === 'Unreachable' && attempt === 1 && wasReset(error.cause) ? 0 : null;
}

const wasReset = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && (cause.code === 'UND_ERR_SOCKET' || cause.code === 'ECONNRESET');
