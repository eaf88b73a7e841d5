/** The port of the console. On the loopback address alone: who may forward a port to this pod may look, and nobody else. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isAllowedHost } from '@klingapi/management';
import { pagePolicy, type ServedFile, servedFiles } from '@klingapi/page';
import pageFiles from './files.baked.ts';
import type { Detail, Summary } from './view.ts';

export interface ConsoleRoutes {
  /** Absent while caches are not filled. */
  fleet(): Summary[] | undefined;
  detail(namespace: string, name: string): Detail | undefined;
  /** @returns false where there are too many streams */
  follow(response: ServerResponse): boolean;
}

export interface ConsoleServer {
  readonly port: number;
  close(): Promise<void>;
}

const HEADERS = {
  'content-security-policy': pagePolicy("'self'"),
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** @param port 0 picks one */
export async function startConsoleServer(port: number, routes: ConsoleRoutes): Promise<ConsoleServer> {
  // at the first visit, so that a process nobody looks at pays nothing
  let made: Promise<ReadonlyMap<string, ServedFile>> | undefined;
  const file = async (name: string): Promise<ServedFile | undefined> => {
    made ??= pageFiles().then(servedFiles);
    return (await made).get(name);
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const refusal = refusalOf(request);
    if (refusal !== undefined) return json(response, refusal.status, { problem: refusal.problem });
    const [pathname = '/'] = (request.url ?? '/').split('?', 1);
    if (pathname === '/klingapis') {
      const fleet = routes.fleet();
      return fleet === undefined ? notYet(response) : json(response, 200, fleet);
    }
    const [, namespace, name] = /^\/klingapis\/([^/]+)\/([^/]+)$/.exec(pathname) ?? [];
    if (namespace !== undefined && name !== undefined) {
      const detail = routes.detail(namespace, name);
      if (detail !== undefined) return json(response, 200, detail);
    }
    if (pathname === '/events') {
      if (!routes.follow(response)) notYet(response);
      return;
    }
    const found = await file(pathname === '/' ? 'index.html' : pathname.slice(1));
    if (found === undefined) return json(response, 404, { problem: 'there is nothing here' });
    sendFile(request, response, found);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => {
      // what it was is in no reply: it may repeat what was read
      if (response.headersSent) response.destroy();
      else json(response, 500, { problem: 'the page could not be made' });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the console has no TCP port');
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A page elsewhere can make a browser ask here; it can choose neither the Host nor what the browser says of itself. */
function refusalOf({ method, headers, url }: IncomingMessage): { status: number; problem: string } | undefined {
  if (!isAllowedHost(headers.host, []))
    return { status: 421, problem: 'the console answers to localhost only: open it through kubectl port-forward' };
  if (method !== 'GET') return { status: 405, problem: 'the console is for reading: GET only' };
  const site = headers['sec-fetch-site'];
  if (url !== '/' && (site === 'cross-site' || site === 'same-site'))
    return { status: 403, problem: 'the console answers its own page only' };
  return undefined;
}

function notYet(response: ServerResponse): void {
  response.setHeader('retry-after', '5');
  json(response, 503, { problem: 'not now: the caches are being filled, or too many pages are open' });
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: 'GET' } : {}),
  });
  response.end(JSON.stringify(body));
}

function sendFile(request: IncomingMessage, response: ServerResponse, { type, etag, plain, packed }: ServedFile): void {
  const same = request.headers['if-none-match'] === etag;
  const packs = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  response.writeHead(same ? 304 : 200, {
    ...{ etag, 'content-type': type, 'cache-control': 'no-cache', vary: 'accept-encoding' },
    ...(packs && !same ? { 'content-encoding': 'gzip' } : {}),
  });
  if (same) response.end();
  else response.end(packs ? packed : plain);
}
