/**
 * An API server that does what a test tells it, request by request, over real sockets. For what a real one cannot be made to
 * do at will: resets, silence, half a line, an expired resourceVersion.
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly socket: Socket;
  /** Ends the exchange with JSON. */
  reply(status: number, json: unknown, headers?: Record<string, string>): void;
  /** Begins a watch; lines go out one by one. */
  stream(): { send(...events: unknown[]): void; raw(text: string): void; end(): void; closed(): boolean };
  /** Resets the connection. */
  reset(): void;
}

export type Step = (exchange: Exchange) => void | Promise<void>;

export interface ScriptedServer {
  readonly url: string;
  readonly port: number;
  readonly exchanges: readonly Exchange[];
  /** The next requests, in order; one after the last step stays unanswered. */
  script(...steps: Step[]): void;
  /** Answers what no step is left for. */
  otherwise(step: Step): void;
  /** Connections that were ever opened. */
  connections(): number;
  openConnections(): number;
  kubeConfig(): KubeConfig;
  close(): Promise<void>;
}

/** @param port 0 picks a free one */
export async function startScriptedServer(port = 0): Promise<ScriptedServer> {
  const exchanges: Exchange[] = [];
  const steps: Step[] = [];
  const sockets = new Set<Socket>();
  let fallback: Step = () => {};
  let connections = 0;

  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url ?? '/', 'http://server');
    const exchange: Exchange = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
      socket: request.socket,
      reply(status, json, headers = {}) {
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(JSON.stringify(json));
      },
      stream: () => streamOf(response),
      reset: () => request.socket.resetAndDestroy(),
    };
    exchanges.push(exchange);
    await (steps.shift() ?? fallback)(exchange);
  });
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const bound = (server.address() as AddressInfo).port;
  const url = `http://127.0.0.1:${bound}`;

  return {
    url,
    port: bound,
    exchanges,
    script: (...next) => steps.push(...next),
    otherwise: (step) => {
      fallback = step;
    },
    connections: () => connections,
    openConnections: () => sockets.size,
    kubeConfig: () => kubeConfigOf(url),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function streamOf(response: ServerResponse): ReturnType<Exchange['stream']> {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  return {
    send: (...events) => {
      for (const event of events) response.write(`${JSON.stringify(event)}\n`);
    },
    raw: (text) => response.write(text),
    end: () => response.end(),
    closed: () => response.destroyed || response.writableEnded,
  };
}

export function kubeConfigOf(server: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'scripted', server, skipTLSVerify: true }, { name: 'test', token: 'a-token' });
  return config;
}

export const failure = (code: number, reason: string, message = `${reason} for this test`) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  reason,
  code,
});

/** @returns when `condition` holds; @throws after `deadlineMs`, naming it */
export async function until(condition: () => boolean, deadlineMs = 4_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Not within ${deadlineMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
