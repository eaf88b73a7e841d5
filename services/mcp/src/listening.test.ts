/** Streams that clients share, held to what the SDK writes to each of them by itself. */
import { createServer, type IncomingHttpHeaders, IncomingMessage, request, ServerResponse } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import type { Management } from '@klingapi/management';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer, type ServerNotifier } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import { createListening } from './listening.ts';
import { startForTest } from './start-for-test.ts';

/** A server, and what changes in it. */
interface Side {
  url: string;
  notify: ServerNotifier;
  close(): Promise<void>;
}

const makeServer = () =>
  new McpServer(
    { name: 'studio', version: '1.2.3' },
    { capabilities: { tools: { listChanged: true }, resources: { subscribe: true } } },
  );

const open: Side[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((side) => side.close()));
});

async function startOurs(options: { maxRequestSeconds?: number; onServer?: () => void } = {}) {
  let notify: ServerNotifier | undefined;
  const mcp = await startForTest({
    apiUrl: 'http://127.0.0.1:9',
    limits: { maxConcurrent: 100, maxRequestSeconds: options.maxRequestSeconds ?? 900 },
    definition(context) {
      notify = context.notify;
      options.onServer?.();
      return makeServer();
    },
  });
  const side = {
    ...mcp,
    // Known once the service has looked at itself.
    get notify(): ServerNotifier {
      if (notify === undefined) throw new Error('no server was made yet');
      return notify;
    },
  };
  open.push(side);
  return side;
}

async function startSdk(): Promise<Side> {
  const handler = createMcpHandler(makeServer);
  const serve = toNodeHandler(handler);
  const server = createServer(async (message, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk);
    const { method = '', url = '', headers } = message;
    const head = { method, url, headers, async *[Symbol.asyncIterator]() {} };
    await serve(head, response, JSON.parse(Buffer.concat(chunks).toString()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const side = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp/v1`,
    notify: handler.notify,
    async close() {
      await handler.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  open.push(side);
  return side;
}

interface Listen {
  id: string | number;
  notifications: unknown;
}

/** A client that listens; what it has heard so far, and a promise for the end. */
interface Client {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  heard(): string;
  ended: Promise<void>;
  response: IncomingMessage;
}

/** Until the first words are there: from then on nothing is missed. */
function listen(url: string, { id, notifications }: Listen): Promise<Client> {
  const message = {
    ...{ jsonrpc: '2.0', id, method: 'subscriptions/listen' },
    params: {
      notifications,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  };
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'subscriptions/listen',
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers, agent: false }, (response) => {
      let heard = '';
      const ended = new Promise<void>((done) => response.once('close', done));
      const { 'content-length': _, date: __, 'transfer-encoding': ___, 'keep-alive': ____, ...kept } = response.headers;
      const client = { status: response.statusCode, headers: kept, heard: () => heard, ended, response };
      response.on('data', (chunk) => {
        heard += chunk;
        resolve(client);
      });
      response.on('error', () => {});
    });
    sent.on('error', reject).end(JSON.stringify(message));
  });
}

const TOOLS = { toolsListChanged: true };

const metricsOf = async ({ management }: { management: Management }): Promise<string> =>
  (await fetch(`http://127.0.0.1:${management.port}/metrics`)).text();
const inFlight = async (side: { management: Management }): Promise<number> =>
  Number(/^klingapi_mcp_requests_in_flight\{.*\} (\d+)$/m.exec(await metricsOf(side))?.[1]);

const notifications = fc.oneof(
  { weight: 4, arbitrary: fc.constant(TOOLS) },
  {
    weight: 4,
    arbitrary: fc.record(
      {
        toolsListChanged: fc.boolean(),
        promptsListChanged: fc.boolean(),
        resourceSubscriptions: fc.subarray(['kling://a', 'kling://b']),
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
);
const id = fc.oneof(fc.integer(), fc.string(), fc.constantFrom('$&', '"', '图', '\ud800'));
const change = fc.constantFrom<(notify: ServerNotifier) => void>(
  (notify) => notify.toolsChanged(),
  (notify) => notify.promptsChanged(),
  (notify) => notify.resourceUpdated('kling://a'),
);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ id, notifications }).map((asked) => ({ asked })) },
  { weight: 2, arbitrary: change.map((changes) => ({ changes })) },
  { weight: 1, arbitrary: fc.nat().map((leaves) => ({ leaves })) },
);

it('every client hears what it would hear of the SDK alone, to the end', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
      const sides: Side[] = [await startOurs(), await startSdk()];
      const clients: Client[][] = [];
      for (const one of steps) {
        if ('asked' in one) {
          clients.push(await Promise.all(sides.map((side) => listen(side.url, one.asked))));
        } else if ('changes' in one) {
          if (clients.length > 0) for (const side of sides) one.changes(side.notify);
        } else {
          const [pair] = clients.splice(one.leaves % Math.max(1, clients.length), 1);
          for (const client of pair ?? []) client.response.destroy();
          await Promise.all((pair ?? []).map((client) => client.ended));
        }
      }
      await Promise.all(open.splice(0).map((side) => side.close()));
      for (const [ours, sdks] of clients) {
        if (ours === undefined || sdks === undefined) throw new Error('one side is missing');
        await Promise.all([ours.ended, sdks.ended]);
        const [given, right] = [ours, sdks].map((side) => [side.status, side.headers, side.heard()]);
        expect(given).toEqual(right);
      }
    }),
    { numRuns: 60 },
  );
});

it('clients that ask for the same share one stream of the SDK', async () => {
  let servers = 0;
  const side = await startOurs({ onServer: () => (servers += 1) });
  await listen(side.url, { id: 'first', notifications: TOOLS });
  const before = servers;
  const clients = await Promise.all(
    Array.from({ length: 20 }, (_, index) => listen(side.url, { id: index, notifications: TOOLS })),
  );
  expect(servers).toBe(before);
  side.notify.toolsChanged();
  await Promise.all(
    clients.map((client, index) =>
      vi.waitFor(() => expect(client.heard()).toMatch(new RegExp(`tools/list_changed.*"[^"]*Id":${index}\\b`))),
    ),
  );
});

it('a stream that is open too long is ended in the words of the SDK, and counted', async () => {
  const side = await startOurs({ maxRequestSeconds: 1 });
  const started = performance.now();
  const early = await listen(side.url, { id: 'early', notifications: TOOLS });
  await vi.waitFor(() => expect(performance.now() - started).toBeGreaterThan(300));
  const late = await listen(side.url, { id: 'late', notifications: TOOLS });
  await early.ended;
  expect(late.response.readableEnded).toBe(false);
  await late.ended;
  for (const [client, name] of [[early, 'early'] as const, [late, 'late'] as const]) {
    expect(client.response.complete).toBe(true);
    const last = client.heard().trimEnd().split('\n').at(-1) ?? '';
    expect(JSON.parse(last.replace('data: ', ''))).toMatchObject({ id: name, result: { resultType: 'complete' } });
  }
  expect(await metricsOf(side)).toMatch(/^klingapi_mcp_limited_total\{.*limit="time".*\} 2$/m);
});

it('who comes after the last has left shares a new stream', async () => {
  let servers = 0;
  const side = await startOurs({ onServer: () => (servers += 1) });
  for (const turn of ['first', 'second', 'third']) {
    const client = await listen(side.url, { id: turn, notifications: TOOLS });
    const before = servers;
    const other = await listen(side.url, { id: 'other', notifications: TOOLS });
    expect(servers).toBe(before);
    side.notify.toolsChanged();
    await vi.waitFor(() => expect([client, other].every((one) => one.heard().includes('list_changed'))).toBe(true));
    for (const one of [client, other]) one.response.destroy();
    // Here the service knows that they have left.
    await vi.waitFor(async () => expect(await inFlight(side)).toBe(0));
  }
});

it('a client that does not read is cut off, and the others hear all of it', { timeout: 30_000 }, async () => {
  const side = await startOurs();
  const deaf = await listen(side.url, { id: 'deaf', notifications: TOOLS });
  const other = await listen(side.url, { id: 'other', notifications: TOOLS });
  deaf.response.pause();
  const changes = 100_000;
  for (let count = 0; count < changes; count += 1) {
    side.notify.toolsChanged();
    // For the other to keep up.
    if (count % 100 === 0) await new Promise(setImmediate);
  }
  await vi.waitFor(() => expect(other.heard().split('list_changed').length - 1).toBe(changes), { timeout: 15_000 });
  deaf.response.resume();
  await deaf.ended;
  expect(deaf.response.complete).toBe(false);
});

it('a stream that does not open in time is left to the SDK, cancelled when it comes, and asked for anew by the next', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const sse = { headers: { 'content-type': 'text/event-stream' } };
    const streams: { open(): void; cancelled: boolean }[] = [];
    const listening = createListening({
      longest: 1_000,
      maxSeconds: 60,
      onOverTime() {},
      ask(_, message) {
        const forNothing = JSON.stringify(message).includes('"notifications":{}');
        if (forNothing) return Promise.resolve(new Response('data: welcome\n\ndata: farewell\n\n', sse));
        return new Promise((resolve) => {
          const stream = {
            cancelled: false,
            open() {
              const body = new ReadableStream({
                start: (controller) => controller.enqueue(Buffer.from('data: welcome\n\n')),
                cancel() {
                  stream.cancelled = true;
                },
              });
              resolve(new Response(body, sse));
            },
          };
          streams.push(stream);
        });
      },
    });
    const message = { jsonrpc: '2.0', method: 'subscriptions/listen', params: { notifications: TOOLS } };
    const ask = (id: string) => {
      const response = new ServerResponse(new IncomingMessage(new Socket()));
      return { response, taken: Promise.resolve(listening({}, { ...message, id }, response)) };
    };

    const late = [ask('first'), ask('second')];
    await vi.advanceTimersByTimeAsync(5_000);
    for (const { response, taken } of late) {
      expect(await taken).toBe(false);
      expect(response.headersSent).toBe(false);
    }
    expect(streams).toHaveLength(1);
    streams[0]!.open();
    await vi.waitFor(() => expect(streams[0]!.cancelled).toBe(true));

    const next = ask('next');
    await vi.advanceTimersByTimeAsync(0);
    expect(streams).toHaveLength(2);
    streams[1]!.open();
    expect(await next.taken).toBe(true);
    expect(next.response.headersSent).toBe(true);
    expect(streams[1]!.cancelled).toBe(false);
    next.response.destroy();
    next.response.emit('close');
  } finally {
    vi.useRealTimers();
  }
});
