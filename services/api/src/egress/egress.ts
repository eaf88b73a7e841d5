import { type LookupAddress, lookup as lookupName } from 'node:dns';
import type { Readable } from 'node:stream';
import { Agent, type Dispatcher, request } from 'undici';
import { isPrivateAddress } from './addresses.ts';

/** A URL that this service does not fetch. */
export class EgressError extends Error {
  override readonly name = 'EgressError';
  readonly code = 'egress_refused';
}

export interface EgressReply {
  readonly status: number;
  /** Names in small letters; of several with one name the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

export interface Egress {
  /**
   * One GET; redirects are answers, not followed.
   * @throws EgressError for what must not be fetched
   * @throws Error when nobody answers
   */
  get(url: string, signal: AbortSignal): Promise<EgressReply>;
  /**
   * One POST of JSON; the reply is thrown away.
   * @returns the status
   * @throws EgressError for what must not be reached
   * @throws Error when nobody answers
   */
  post(url: string, headers: Readonly<Record<string, string>>, body: string, signal: AbortSignal): Promise<number>;
  /** What of an address is seen without asking the name service. @throws EgressError */
  check(url: string): void;
  close(): Promise<void>;
}

export interface EgressOptions {
  /** Addresses from the configuration: whatever lies on one of their hosts may be private. */
  readonly trusted: readonly string[];
  readonly lookup?: typeof lookupName;
}

const CONNECT_MS = 10_000;

/**
 * The check and the connection use the same answer of the name service, so that
 * a name cannot be public when it is judged and private when it is used.
 */
export function createEgress({ trusted, lookup = lookupName }: EgressOptions): Egress {
  const hosts = new Set(trusted.map((url) => new URL(url).host));
  const inside = new Agent({ connect: { timeout: CONNECT_MS } });
  const outside = new Agent({
    connect: {
      timeout: CONNECT_MS,
      lookup(hostname, options, callback) {
        lookup(hostname, { ...options, all: true }, (error, addresses) => {
          const all: LookupAddress[] = addresses ?? [];
          const found = all.filter(({ address }) => !isPrivateAddress(address));
          const [first] = found;
          if (error !== null) callback(error, []);
          else if (first === undefined) callback(new EgressError(`${hostname} is not on the public internet`), []);
          else if (options.all === true) callback(null, found);
          else callback(null, first.address, first.family);
        });
      },
    },
  });

  const judge = (url: string): { target: URL; dispatcher: Agent } => {
    const target = URL.parse(url);
    if (target === null || !/^https?:$/.test(target.protocol)) throw new EgressError('the address is not http(s)');
    if (target.username !== '' || target.password !== '') throw new EgressError('the address has a password in it');
    const isTrusted = hosts.has(target.host);
    const host = target.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
    if (!isTrusted && (isPrivateAddress(host) || /(^|\.)localhost$/.test(host))) {
      throw new EgressError('the address is not on the public internet');
    }
    return { target, dispatcher: isTrusted ? inside : outside };
  };

  return {
    async get(url, signal) {
      const { target, dispatcher } = judge(url);
      const ask = () => request(target, { dispatcher, signal, headersTimeout: 60_000, bodyTimeout: 60_000 });
      const reply = await ask().catch((error: unknown) => {
        if (signal.aborted || !wasClosed(error)) throw error;
        return ask();
      });
      return { status: reply.statusCode, headers: plain(reply), body: reply.body };
    },
    async post(url, headers, body, signal) {
      const { target, dispatcher } = judge(url);
      const reply = await request(target, { method: 'POST', headers, body, dispatcher, signal });
      // Whatever a stranger sends back is of no interest, and may never end.
      reply.body.on('error', () => {}).destroy();
      return reply.statusCode;
    },
    check(url) {
      judge(url);
    },
    async close() {
      await Promise.all([inside.destroy(), outside.destroy()]);
    },
  };
}

/** A connection that was kept may be closed by the other side just as it is used again. */
function wasClosed(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(String(code));
}

function plain({ headers }: Dispatcher.ResponseData): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const [first] = typeof value === 'string' ? [value] : (value ?? []);
      return first === undefined ? [] : [[name, first]];
    }),
  );
}
