/** What is answered without the SDK, held to the SDK's own bytes. */
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApiClient } from './api-client.ts';
import { authInfoOf } from './call.ts';
import { createCatalogue } from './catalogue.ts';
import { buildServer } from './definition.ts';
import { ApiError } from './errors.ts';
import { createOpenWaits } from './open-waits.ts';
import type { Mcp } from './server.ts';
import { startForTest } from './start-for-test.ts';
import { TOOL_NAMES } from './tools/register.ts';
import { ALL_TOOLSETS } from './tools/toolsets.ts';

const MADE = { createdAt: '2026-11-24T10:00:00.000Z' };

/** Answers by what it is asked for, always alike; counts what is made. */
const api: ApiClient & { made: number } = {
  made: 0,
  async create(_call, path, body) {
    api.made += 1;
    const { prompt } = Object(body);
    if (prompt === 'refused') throw new ApiError('invalid_request', 'The prompt is "refused", \u2028 é 图.', false);
    if (prompt === 'broken') throw new TypeError('something broke in here');
    return {
      id: `made-${path.replace(/\W/g, '-')}`,
      kind: 'text-to-image',
      status: 'submitted',
      ...MADE,
      request: body,
    };
  },
  async task(_call, id) {
    if (id === 'none') throw new ApiError('task_not_found', 'There is no such task', false);
    const file = { index: 0, url: 'https://cdn.example/0.png', href: `/api/tasks/${id}/results/0` };
    if (id === 'ended')
      return { id, kind: 'text-to-image', status: 'succeeded', result: { images: [file, { ...file }] } };
    if (id === 'failed')
      return { id, status: 'failed', error: { code: 1, message: '"content":[] and $& are no words' } };
    return { id, status: 'processing', ...MADE };
  },
  wait: (call, id) => api.task(call, id),
  picture: async () => ({ data: 'iVBORw0KGgo=', mimeType: 'image/png' }),
  async ask(_call, { path }, schema) {
    return schema.parse(
      path.startsWith('/api/tasks')
        ? { tasks: [{ id: path, status: 'submitted' }], nextCursor: 'c' }
        : path === '/api/estimate'
          ? { possible: false, errors: [{ field: 'a', problem: 'b' }] }
          : { since: 'a', until: 'b', usage: [], calls: [] },
    );
  },
  revalidate: () => Promise.reject(new ApiError('unreachable', 'no', true)),
  isDown: () => false,
  close: async () => {},
};

let mcp: Mcp;
let sdk: { url: string; close: () => void };
beforeAll(async () => {
  mcp = await startForTest({ apiUrl: 'http://127.0.0.1:9', api, limits: { maxConcurrent: 1000 } });
  sdk = await startSdk();
});
afterAll(async () => {
  sdk.close();
  await mcp.close();
});

/** The same definition, served by the SDK and nothing else. */
async function startSdk() {
  const catalogue = createCatalogue({ api, now: () => performance.now() });
  const common = {
    api,
    catalogue,
    onFault: () => {},
    stopping: new AbortController().signal,
    openWaits: createOpenWaits(),
  };
  const offered = { toolsets: ALL_TOOLSETS, offered: TOOL_NAMES };
  const serve = toNodeHandler(
    createMcpHandler(({ authInfo, era }) => buildServer({ ...common, ...offered, caller: authInfo, era })),
  );
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    const auth = authInfoOf({ subject: 'anonymous', scopes: ['create'], ended: new AbortController().signal });
    const head = { method, url, headers, auth, async *[Symbol.asyncIterator]() {} };
    await serve(head, response, JSON.parse(Buffer.concat(chunks).toString()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/mcp/v1`, close: () => server.close() };
}

interface Reply {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

/** How long a body is, and how a connection is kept, is the business of HTTP. */
function withoutFraming({
  date,
  connection,
  'keep-alive': _,
  'content-length': __,
  'transfer-encoding': ___,
  ...rest
}: IncomingHttpHeaders) {
  return rest;
}

function post(url: string, headers: Record<string, string>, message: unknown): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method: 'POST', headers }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({
        status: response.statusCode,
        headers: withoutFraming(response.headers),
        body: Buffer.concat(chunks).toString(),
      });
    });
    sent.on('error', reject).end(JSON.stringify(message));
  });
}

const VERSIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28', '2099-01-01', ''];
const METHODS = [
  ...['initialize', 'server/discover', 'tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'],
  ...['ping', 'tools/lists', 'notifications/initialized', 'toString'],
];
/** Mostly what clients send, with something wrong in it here and there. */
const usually = <T, U>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<U>) =>
  fc.oneof({ weight: 8, arbitrary: right }, { weight: 1, arbitrary: wrong });
const anything = fc.jsonValue({ maxDepth: 1 });
const version = fc.constantFrom(...VERSIONS);
const envelope = fc.record(
  {
    'io.modelcontextprotocol/protocolVersion': usually(version, anything),
    'io.modelcontextprotocol/clientCapabilities': usually(fc.constantFrom({}, { sampling: {} }), anything),
    'io.modelcontextprotocol/clientInfo': usually(fc.constant({ name: 'a', version: '1' }), anything),
    progressToken: usually(fc.constantFrom('p', 1), anything),
    traceparent: fc.string(),
  },
  { requiredKeys: [] },
);
const params = fc.record(
  {
    protocolVersion: usually(version, anything),
    capabilities: usually(fc.constantFrom({}, { roots: { listChanged: true } }), anything),
    clientInfo: usually(fc.constant({ name: 'a', version: '1' }), anything),
    cursor: usually(fc.constant(''), anything),
    _meta: usually(envelope, anything),
  },
  { requiredKeys: [] },
);
const legacy = fc.record(
  {
    jsonrpc: usually(fc.constant('2.0'), anything),
    id: fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.constantFrom(null, 1.5, -0, 2 ** 60, true)),
    method: usually(fc.constantFrom(...METHODS), anything),
    params: usually(params, anything),
    more: anything,
  },
  { requiredKeys: ['jsonrpc', 'method'] },
);
const ACCEPT = 'application/json, text/event-stream';
const headers = fc.record(
  {
    accept: fc.constantFrom(ACCEPT, ACCEPT, ACCEPT, 'application/json', '*/*', ''),
    'mcp-protocol-version': version,
    'mcp-method': fc.constantFrom(...METHODS),
    'mcp-name': fc.constantFrom('a', ''),
    'mcp-session-id': fc.constantFrom('a', ''),
    'last-event-id': fc.constant('1'),
  },
  { requiredKeys: ['accept'] },
);
/** As clients of each era send it, so that not all of them are refused. */
const older = fc.constantFrom(...METHODS).map((method) => ({
  head: { accept: ACCEPT },
  message: {
    ...{ jsonrpc: '2.0', id: 1, method },
    params:
      method === 'initialize'
        ? { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'a', version: '1' } }
        : {},
  },
}));
const newer = fc.constantFrom(...METHODS).map((method) => ({
  head: { accept: ACCEPT, 'mcp-protocol-version': '2026-07-28', 'mcp-method': method },
  message: {
    ...{ jsonrpc: '2.0', id: method, method },
    params: {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  },
}));
const word = fc.constantFrom('a fox', 'refused', 'broken', '', '$& "content":[]', '\ud800', '图');
const CALLS = {
  create_text_to_image_tool: fc.record(
    { prompt: word, aspect_ratio: fc.constantFrom('16:9', 'wide') },
    { requiredKeys: [] },
  ),
  create_text_to_video_tool: fc.record(
    { prompt: word, duration: fc.constantFrom(5, 99) },
    { requiredKeys: ['prompt'] },
  ),
  create_sound_tool: fc.record({ prompt: word }),
  get_single_task_tool: fc.record({ task_id: fc.constantFrom('ended', 'failed', 'none', 'other', '', 'a/b~c') }),
  get_task_result_tool: fc.record({ task_id: fc.constantFrom('ended', 'failed', 'none') }),
  get_task_status_tool: fc.record({ task_id: fc.constantFrom('ended', 'failed', 'none') }),
  wait_for_task_completion_tool: fc.record({ task_id: fc.constantFrom('ended', 'failed', 'none') }),
  list_tasks_tool: fc.record({ limit: fc.constantFrom(1, 0) }, { requiredKeys: [] }),
  list_models_tool: fc.record({ kind: fc.constantFrom('text-to-image', 'nothing') }, { requiredKeys: [] }),
  estimate_cost_tool: fc.record({ tool: fc.constantFrom('create_sound_tool', 'x'), arguments: fc.constant({}) }),
  get_usage_tool: fc.constant({}),
  no_such_tool: fc.constant({}),
  toString: fc.constant({}),
} satisfies Record<string, fc.Arbitrary<object>>;
const extension = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
const call = fc.constantFrom(...Object.entries(CALLS)).chain(([name, given]) =>
  fc.record(
    {
      name: usually(fc.constant(name), anything),
      arguments: usually(given, anything),
      more: anything,
    },
    { requiredKeys: ['name'] },
  ),
);
const id = fc.oneof(fc.integer(), fc.constantFrom('a', '"', '图', null, 1.5));
const olderCall = fc
  .record({ params: call, id, token: fc.constantFrom(undefined, undefined, 'p', true) })
  .map(({ params, id: given, token }) => ({
    head: { accept: ACCEPT },
    message: {
      ...{ jsonrpc: '2.0', id: given, method: 'tools/call' },
      params: { ...params, ...(token === undefined ? {} : { _meta: { progressToken: token } }) },
    },
  }));
const newerCall = fc
  .record({ params: call, id, capabilities: usually(fc.constantFrom({}, extension), anything) })
  .map(({ params, id: given, capabilities }) => ({
    head: {
      ...{ accept: ACCEPT, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call' },
      ...(typeof params.name === 'string' && /^[\x20-\x7e]*$/.test(params.name) ? { 'mcp-name': params.name } : {}),
    },
    message: {
      ...{ jsonrpc: '2.0', id: given, method: 'tools/call' },
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': capabilities,
        },
      },
    },
  }));
/** A message and two heads, so that what is remembered of one could be given to the other. */
const twoHeads = (message: fc.Arbitrary<{ head: Record<string, string>; message: unknown }>) =>
  fc.record({ right: message, other: headers }).map(({ right, other }) => ({
    message: right.message,
    heads: [right.head, { ...right.head, ...other }],
  }));

/** Asks both for the same, and again; what is made is made as often by one as by the other. */
async function compare(message: unknown, heads: readonly Record<string, string>[]): Promise<number> {
  let answered = 0;
  for (const head of [...heads, ...heads]) {
    const sent = { ...head, 'content-type': 'application/json' };
    const before = api.made;
    const right = await post(sdk.url, sent, message);
    const byTheSdk = api.made - before;
    const given = await post(mcp.url, sent, message);
    expect({ ...given, made: api.made - before - byTheSdk }).toEqual({ ...right, made: byTheSdk });
    if (right.status === 200) answered += 1;
  }
  return answered;
}

it.each([
  ['lists', fc.oneof(twoHeads(older), twoHeads(newer))],
  ['anything', fc.record({ message: legacy, heads: fc.tuple(headers, headers) })],
  ['calls of tools', fc.oneof(twoHeads(olderCall), twoHeads(newerCall))],
])('%s are answered as by the SDK, at first and again', { timeout: 60_000 }, async (what, asked) => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(asked, async ({ heads, message }) => {
      answered += await compare(message, heads);
    }),
    { numRuns: 400 },
  );
  // Refusals alone would prove little.
  expect(answered).toBeGreaterThan(what === 'anything' ? 3 : 400);
});
