/** Clients outside the cluster: they know host names and an authority, and connect to the address of the ingress controller. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, fetch as undiciFetch } from 'undici';

export interface EdgeOptions {
  /** Address that every host name leads to. */
  address: string;
  /** Authority of the certificates, in PEM. */
  ca: string;
  /** HTTP/2 instead of HTTP/1.1. */
  http2?: boolean;
}

export interface Edge {
  fetch: typeof fetch;
  close(): Promise<void>;
}

const PATIENCE_MS = 330_000;

export function createEdge({ address, ca, http2 = false }: EdgeOptions): Edge {
  const agent = new Agent({
    allowH2: http2,
    connect: { ca, lookup: (_host, _options, done) => done(null, [{ address, family: 4 }]) },
    headersTimeout: PATIENCE_MS,
    bodyTimeout: PATIENCE_MS,
  });
  const through = ((input: string | URL, init?: RequestInit) =>
    undiciFetch(input, { ...(init as object), dispatcher: agent })) as unknown as typeof fetch;
  return { fetch: through, close: () => agent.destroy() };
}

/** One tool call or handshake as it goes over the wire, in the older era, which needs no opening here. */
export function mcpRequest(
  key: string,
  method: string,
  params: Record<string, unknown>,
): RequestInit & { headers: Record<string, string> } {
  return {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'x-request-id': randomUUID(),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  };
}

export interface Arrival {
  /** Milliseconds since the request began. */
  at: number;
  text: string;
}

/** Reads a stream to its end. @returns its pieces, each with the time when it came */
export async function arrivals(reply: Response, began: number): Promise<Arrival[]> {
  const seen: Arrival[] = [];
  const decoder = new TextDecoder();
  for await (const piece of reply.body ?? [])
    seen.push({ at: performance.now() - began, text: decoder.decode(piece, { stream: true }) });
  return seen;
}

export interface Sent {
  id: string;
  /** When it began, milliseconds since 1970. */
  at: number;
  ok: boolean;
  /** What came back. */
  told: string;
}

/** Sends `initialize` again and again until it is told to stop. */
export function traffic(edge: Edge, url: string, key: string): { sent: Sent[]; stop(): Promise<void> } {
  const sent: Sent[] = [];
  let going = true;
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'e2e-traffic', version: '1.0.0' },
  };
  const loop = (async () => {
    while (going) {
      const request = mcpRequest(key, 'initialize', params);
      const at = Date.now();
      const told = await edge
        .fetch(url, { ...request, signal: AbortSignal.timeout(10_000) })
        .then(async (reply) => `HTTP ${reply.status} ${await reply.text()}`)
        .catch((error: unknown) => String(error instanceof Error ? (error.cause ?? error) : error));
      const ok = told.startsWith('HTTP 200 ') && told.includes('"protocolVersion"');
      await pause(25);
      sent.push({ id: request.headers['x-request-id'] ?? '', at, ok, told: told.slice(0, 200) });
    }
  })();
  return {
    sent,
    async stop() {
      going = false;
      await loop;
    },
  };
}
