import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** What a route answers: `body` is sent as JSON, or `text` as it stands. */
export type ManagementReply =
  | { readonly status: number; readonly body: unknown }
  | { readonly status: number; readonly text: string; readonly contentType?: string };

/** A route; it may take as long as the caller waits (the kubelet gives up by itself). */
export type ManagementRoute = () => Promise<ManagementReply> | ManagementReply;

export interface ManagementOptions {
  /** 0 picks a free port; read it from the returned {@link Management}. */
  readonly port: number;
  readonly host: string;
  /** Served as `/metrics` when given. */
  readonly registry?: Registry | undefined;
  /** Path (for example `/readyz`) to handler. `/livez` is always there. */
  readonly routes?: Readonly<Record<string, ManagementRoute>>;
  /** Answers everything below a prefix such as `/sandbox/`, whatever the method. */
  readonly below?: {
    readonly prefix: string;
    readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  };
  /** Told when a route threw; the caller of the route gets a bare 500. */
  readonly onError?: (path: string, error: unknown) => void;
}

export interface Management {
  readonly port: number;
  /** Ends open connections too: probes must not hold a draining process. */
  close(): Promise<void>;
}

/**
 * Starts the management port: liveness, readiness and metrics, never routed to
 * clients and so without authentication. Only GET and HEAD are answered, but below `below`.
 */
export async function startManagement(options: ManagementOptions): Promise<Management> {
  const routes = new Map<string, ManagementRoute>(Object.entries(options.routes ?? {}));
  routes.set('/livez', () => ({ status: 200, body: { status: 'ok' } }));
  const { registry } = options;
  if (registry !== undefined) {
    routes.set('/metrics', async () => ({
      status: 200,
      text: await registry.metrics(),
      contentType: registry.contentType,
    }));
  }

  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const { below } = options;
    if (below !== undefined && path.startsWith(below.prefix)) {
      below.handle(request, response);
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      send(response, { status: 405, body: { status: 'method not allowed' } });
      return;
    }
    const route = routes.get(path);
    if (route === undefined) {
      send(response, { status: 404, body: { status: 'not found' } });
      return;
    }
    Promise.resolve()
      .then(route)
      .then(
        (reply) => send(response, reply),
        (error: unknown) => {
          options.onError?.(path, error);
          send(response, { status: 500, body: { status: 'error' } });
        },
      );
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });

  return {
    port: boundPort(server.address()),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, reply: ManagementReply): void {
  const [text, type] =
    'text' in reply
      ? [reply.text, reply.contentType ?? 'text/plain; charset=utf-8']
      : [JSON.stringify(reply.body), 'application/json'];
  response.writeHead(reply.status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(text);
}

function boundPort(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the management server has no TCP port');
  return address.port;
}
