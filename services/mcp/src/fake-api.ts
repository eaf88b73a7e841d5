/** For tests: the API service as far as the MCP service calls it, with the shapes of `services/api`. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { verifyAssertion } from '@klingapi/identity';
import { KINDS, MODELS } from '@klingapi/kling';

export const INTERNAL_KEY = 'an-internal-key-of-at-least-32-bytes';

/** A PNG of one pixel. */
export const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

export interface Received {
  route: string;
  subject: string;
  scopes: readonly string[];
  body: Record<string, unknown>;
  headers: Record<string, string | string[] | undefined>;
}

export interface OfferedKind {
  kind: string;
  models: readonly { id: string }[];
}

export interface FakeApi {
  url: string;
  received: Received[];
  /** The catalogue of models from now on; that of this release without it. */
  offer(kinds: readonly OfferedKind[]): void;
  /** Ends the task: whoever waits is answered. */
  finish(id: string): void;
  /** The next request gets this instead. */
  answerOnce(status: number, body: unknown, headers?: Record<string, string>): void;
  /** Whether that is still to come. */
  planned(): boolean;
  /** Breaks the connection of the next request. */
  breakOnce(): void;
  /** Breaks the connection in the middle of the next pictures. */
  cutPictures(count: number): void;
  /** Waits that are open. */
  waiting(): number;
  close(): Promise<void>;
}

export async function startFakeApi(): Promise<FakeApi> {
  const received: Received[] = [];
  const done = new Set<string>();
  const waiters = new Map<string, Set<() => void>>();
  let next: { status: number; body: unknown; headers: Record<string, string> } | 'break' | null = null;
  let made = 0;
  let cut = 0;
  let offered: readonly OfferedKind[] = KINDS.map((kind) => ({ kind, models: MODELS[kind] }));

  function task(id: string) {
    const kind = id.replace(/-\d+$/, '');
    const files = [{ index: 0, url: 'https://cdn.example/0.png', href: `/api/tasks/${id}/results/0` }];
    const result = kind.includes('video') ? { videos: files } : { images: files };
    const times = { createdAt: '2026-11-24T10:00:00.000Z', updatedAt: '2026-11-24T10:00:01.000Z' };
    return done.has(id)
      ? { id, kind, status: 'succeeded', ...times, request: {}, result }
      : { id, kind, status: 'submitted', ...times, request: {} };
  }

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const send = (status: number, body: unknown, headers: Record<string, string> = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    const planned = next;
    next = null;
    const text = Buffer.concat(chunks).toString();
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    const identity = await verifyAssertion(token, { audience: 'api', key: INTERNAL_KEY });
    const route = `${request.method} ${request.url}`;
    const body = text === '' ? {} : JSON.parse(text);
    received.push({ route, subject: identity.subject, scopes: identity.scopes, body, headers: request.headers });
    if (planned === 'break') return void request.socket.destroy();
    if (planned !== null) return void send(planned.status, planned.body, planned.headers);

    const kind = {
      'POST /api/images/generations': 'text-to-image',
      'POST /api/videos/text-to-video': 'text-to-video',
      'POST /api/videos/image-to-video': 'image-to-video',
      'POST /api/try-on/virtual': 'virtual-try-on',
      'POST /api/images/omni': 'omni-image',
    }[route];
    if (kind !== undefined) {
      made += 1;
      return void send(202, task(`${kind}-${made}`));
    }
    if (route.startsWith('GET /api/tasks?')) {
      return void send(200, { tasks: [task('text-to-image-2'), task('text-to-image-1')], nextCursor: 'more' });
    }
    if (route === 'GET /api/models') {
      const etag = `"${createHash('sha256').update(JSON.stringify(offered)).digest('hex')}"`;
      const told = { etag, 'cache-control': 'private, max-age=300' };
      if (request.headers['if-none-match'] === etag) return void response.writeHead(304, told).end();
      return void send(200, { kinds: offered.map((each) => ({ ...each, example: {} })) }, told);
    }
    if (route === 'POST /api/estimate') {
      return void send(200, {
        possible: true,
        errors: [],
        estimate: { units: 1.5, pack: 'video', usd: 0.21, basis: '' },
      });
    }
    if (route.startsWith('GET /api/usage')) {
      const row = { kind: 'text-to-image', model: 'kling-v3', tasks: 2, units: 16, usd: 0.056 };
      return void send(200, {
        since: '2026-11-01T00:00:00.000Z',
        until: '2026-11-24T00:00:00.000Z',
        usage: [row],
        calls: [],
      });
    }
    const [, id = '', part = ''] = /^\/api\/tasks\/([^/]+)\/?(.*)$/.exec(request.url ?? '') ?? [];
    const problem = (status: number, code: string, detail: string) =>
      void send(status, { type: 'about:blank', title: 'No', status, detail, code, requestId: 'r-1' });
    if (!/-\d+$/.test(id)) return problem(404, 'task_not_found', 'There is no task with this id.');
    if (part.startsWith('results/') && cut > 0) {
      cut -= 1;
      response.writeHead(200, { 'content-type': 'image/png', 'content-length': PIXEL.length });
      return void response.write(PIXEL.subarray(0, 20), () => request.socket.destroy());
    }
    if (part.startsWith('results/')) {
      return void response.writeHead(200, { 'content-type': 'image/png' }).end(PIXEL);
    }
    if (part === 'result' && !done.has(id)) return problem(409, 'task_not_finished', 'The task has not ended yet.');
    if (part === 'wait' && !done.has(id)) {
      const set = waiters.get(id) ?? new Set();
      waiters.set(id, set);
      const answer = () => void send(200, task(id));
      const timer = setTimeout(answer, body.timeoutSeconds * 1000);
      set.add(answer);
      response.on('close', () => {
        clearTimeout(timer);
        set.delete(answer);
      });
      return;
    }
    send(200, task(id));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    received,
    offer(kinds) {
      offered = kinds;
    },
    finish(id) {
      done.add(id);
      for (const answer of waiters.get(id) ?? []) answer();
    },
    answerOnce(status, body, headers = {}) {
      next = { status, body, headers };
    },
    planned: () => next !== null,
    breakOnce() {
      next = 'break';
    },
    cutPictures(count) {
      cut = count;
    },
    waiting: () => [...waiters.values()].reduce((sum, set) => sum + set.size, 0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
