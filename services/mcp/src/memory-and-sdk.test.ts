/** What is answered from memory, held to the SDK's own bytes. */
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApiClient } from './api-client.ts';
import { createCatalogue } from './catalogue.ts';
import { buildServer } from './definition.ts';
import { createOpenWaits } from './open-waits.ts';
import { type Mcp, startMcp } from './server.ts';
import { ALL_TOOLSETS } from './tools/toolsets.ts';

let mcp: Mcp;
let sdk: { url: string; close: () => void };
beforeAll(async () => {
  mcp = await startMcp({
    host: '127.0.0.1',
    port: 0,
    path: '/mcp/v1',
    management: { host: '127.0.0.1', port: 0 },
    apiUrl: 'http://127.0.0.1:9',
    auth: 'none',
    callersDir: undefined,
    internalKey: undefined,
    allowedHosts: [],
    allowedOrigins: [],
    handshakeTimeoutMs: 5_000,
  });
  sdk = await startSdk();
});
afterAll(async () => {
  sdk.close();
  await mcp.close();
});

/** The same definition, served by the SDK and nothing else. */
async function startSdk() {
  const api = createApiClient({ url: 'http://127.0.0.1:9', internalKey: undefined });
  const catalogue = createCatalogue({ api, now: () => performance.now() });
  const stopping = new AbortController().signal;
  const serve = toNodeHandler(
    createMcpHandler(({ authInfo, era }) =>
      buildServer({ api, stopping, toolsets: ALL_TOOLSETS, caller: authInfo, era, catalogue, openWaits: createOpenWaits() }),
    ),
  );
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    const head = { method, url, headers, async *[Symbol.asyncIterator]() {} };
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
/** A message and two heads, so that what is remembered of one could be given to the other. */
const asked = fc.oneof(
  fc.record({ message: legacy, heads: fc.tuple(headers, headers) }),
  fc.record({ right: fc.oneof(older, newer), other: headers }).map(({ right: { head, message }, other }) => ({
    message,
    heads: [head, { ...head, ...other }],
  })),
);

it('whatever is asked, the SDK and the memory answer alike, at first and again', async () => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(asked, async ({ heads, message }) => {
      for (const head of [...heads, ...heads]) {
        const sent = { ...head, 'content-type': 'application/json' };
        const right = await post(sdk.url, sent, message);
        expect(await post(mcp.url, sent, message)).toEqual(right);
        if (right.status === 200) answered += 1;
      }
    }),
    { numRuns: 500 },
  );
  // Refusals alone would prove little.
  expect(answered).toBeGreaterThan(200);
});
