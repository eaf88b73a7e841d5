import { createServer as createTcp } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createHandshaker, type HandshakeOptions, handshake } from './handshake.ts';
import {
  DISCOVERED,
  events,
  INITIALIZED,
  json,
  rpcError,
  type Script,
  type ScriptedServer,
  startScripted,
} from './scripted-server.ts';

// Machines that run everything at once are slow.
vi.setConfig({ testTimeout: 20_000 });

const servers: ScriptedServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(script: Script): Promise<ScriptedServer> {
  const server = await startScripted(script);
  servers.push(server);
  return server;
}

async function against(script: Script, options: Partial<HandshakeOptions> = {}) {
  const server = await serve(script);
  const result = await handshake({ url: server.url, timeoutMs: 2000, ...options });
  await vi.waitFor(() => expect(server.open()).toBe(0), 10_000);
  return { result, server, sent: server.seen.map((one) => `${one.method} ${one.rpc}`.trim()) };
}

const dual: Script = (seen, response) => {
  if (seen.rpc === 'initialize') return void events(response, [INITIALIZED]);
  json(response, 200, DISCOVERED);
};
const modernOnly: Script = (seen, response) => {
  if (seen.rpc === 'initialize') return json(response, 400, rpcError(1, -32022, { supported: ['2026-07-28'] }));
  json(response, 200, DISCOVERED);
};

describe('a healthy server', () => {
  it('is Serving by JSON', async () => {
    const { result, server, sent } = await against((_seen, response) => json(response, 200, INITIALIZED));
    expect(result).toMatchObject({
      verdict: 'Serving',
      diagnosis: null,
      era: 'Legacy',
      server: { name: 'scripted', version: '1', protocolVersions: ['2025-11-25'], sessionful: false },
    });
    expect(result.evidence.phases.connectMs).toBeGreaterThan(0);
    expect(sent).toEqual(['POST initialize']);
    const [request] = server.seen;
    expect(request?.headers).toMatchObject({
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    });
    expect(request?.headers).not.toHaveProperty('mcp-protocol-version');
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'klingapi-probe' } },
    });
  });

  it('is Serving by an event stream that stays open, without waiting for its end', async () => {
    const { result } = await against((_seen, response) => events(response, [INITIALIZED]));
    expect(result.verdict).toBe('Serving');
    expect(result.evidence.phases.totalMs).toBeLessThan(1000);
  });

  it('gets its session closed by a DELETE without Content-Type, and never notifications/initialized', async () => {
    const { result, server, sent } = await against((seen, response) => {
      if (seen.method === 'DELETE') return void response.writeHead(405).end();
      json(response, 200, INITIALIZED, { 'mcp-session-id': 'abc' });
    });
    expect(sent).toEqual(['POST initialize', 'DELETE']);
    expect(server.seen[1]?.headers).toMatchObject({ 'mcp-session-id': 'abc' });
    expect(server.seen[1]?.headers).not.toHaveProperty('content-type');
    expect(result).toMatchObject({ verdict: 'Serving', server: { sessionful: true } });
  });

  it('keeps its verdict when the DELETE hangs', async () => {
    const { result } = await against(
      (seen, response) => {
        if (seen.method !== 'DELETE') json(response, 200, INITIALIZED, { 'mcp-session-id': 'abc' });
      },
      { timeoutMs: 600 },
    );
    expect(result.verdict).toBe('Serving');
  });
});

describe('eras', () => {
  it.each(['Any', 'Legacy'] as const)('never sends server/discover to a legacy server (%s)', async (eras) => {
    const { sent } = await against(dual, { eras, knownEra: 'Legacy' });
    expect(sent).toEqual(['POST initialize']);
  });

  it.each([
    ['-32022', 400, -32022],
    ['-32020', 400, -32020],
    ['404 with -32601', 404, -32601],
  ])('goes on to server/discover when initialize is not known: %s', async (_name, status, code) => {
    const { result, server, sent } = await against((seen, response) => {
      if (seen.rpc === 'initialize') return json(response, status, rpcError(1, code));
      json(response, 200, DISCOVERED);
    });
    expect(sent).toEqual(['POST initialize', 'POST server/discover']);
    expect(result).toMatchObject({ verdict: 'Serving', era: 'Modern', server: { protocolVersions: ['2026-07-28'] } });
    expect(server.seen[1]?.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'server/discover',
    });
    expect(JSON.parse(server.seen[1]?.body ?? '')).toMatchObject({
      params: {
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    });
  });

  it('speaks a later version when the server names one', async () => {
    const { result } = await against((seen, response) => {
      const version = seen.headers['mcp-protocol-version'];
      if (version !== '2027-03-01')
        return json(response, 400, rpcError(seen.rpc === 'initialize' ? 1 : 2, -32022, { supported: ['2027-03-01'] }));
      json(response, 200, { ...DISCOVERED, result: { ...DISCOVERED.result, supportedVersions: ['2027-03-01'] } });
    });
    expect(result).toMatchObject({ verdict: 'Serving', server: { protocolVersions: ['2027-03-01'] } });
  });

  it('checks both legs of a server that has to speak both', async () => {
    const { result, sent } = await against(dual, { eras: 'Both' });
    expect(sent).toEqual(['POST initialize', 'POST server/discover']);
    expect(result).toMatchObject({ era: 'Both', server: { protocolVersions: ['2025-11-25', '2026-07-28'] } });
  });

  it('sees a modern leg that died alone', async () => {
    const { result } = await against(
      (seen, response) =>
        seen.rpc === 'initialize' ? json(response, 200, INITIALIZED) : json(response, 500, rpcError(2, -32603)),
      { knownEra: 'Both' },
    );
    expect(result).toMatchObject({
      verdict: 'Failing',
      diagnosis: 'HttpError',
      evidence: { era: 'Modern', status: 500, code: -32603 },
    });
  });

  it.each(['Legacy', 'Both'] as const)('calls a modern-only server EraMismatch under %s', async (eras) => {
    const { result, sent } = await against(modernOnly, { eras });
    expect(result).toMatchObject({ verdict: 'Failing', diagnosis: 'EraMismatch' });
    expect(sent).toEqual(['POST initialize']);
  });

  it('sends discover alone under Modern, and calls a legacy server EraMismatch', async () => {
    const good = await against(modernOnly, { eras: 'Modern' });
    expect(good.sent).toEqual(['POST server/discover']);
    expect(good.result.verdict).toBe('Serving');
    const bad = await against((_seen, response) => json(response, 400, rpcError(2, -32600)), { eras: 'Modern' });
    expect(bad.result).toMatchObject({ verdict: 'Failing', diagnosis: 'EraMismatch' });
  });

  it('does not take a reply without a modern version for a modern server', async () => {
    const old = { ...DISCOVERED, result: { ...DISCOVERED.result, supportedVersions: ['2025-11-25'] } };
    const { result } = await against((_seen, response) => json(response, 200, old), { eras: 'Modern' });
    expect(result).toMatchObject({ verdict: 'Failing', diagnosis: 'EraMismatch' });
  });

  it('opens a known modern server with discover, and starts over when it is another by now', async () => {
    const same = await against(modernOnly, { knownEra: 'Modern' });
    expect(same.sent).toEqual(['POST server/discover']);
    const changed = await against(
      (seen, response) =>
        seen.rpc === 'initialize' ? json(response, 200, INITIALIZED) : json(response, 400, rpcError(2, -32600)),
      { knownEra: 'Modern' },
    );
    expect(changed.sent).toEqual(['POST server/discover', 'POST initialize']);
    expect(changed.result).toMatchObject({ verdict: 'Serving', era: 'Legacy' });
  });
});

describe('verdicts', () => {
  const text =
    (status: number, body: string, headers: Record<string, string> = {}): Script =>
    (_seen, response) =>
      void response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(body);

  it.each<[string, Script, string, string | null]>([
    ['401', text(401, ''), 'AuthRequired', null],
    ['403', text(403, ''), 'AuthRequired', null],
    ['429', text(429, ''), 'Serving', 'Slow'],
    ['503 with Retry-After', text(503, '', { 'retry-after': '3' }), 'Serving', 'Slow'],
    ['503', text(503, ''), 'Failing', 'HttpError'],
    ['500', text(500, 'Internal Server Error'), 'Failing', 'HttpError'],
    [
      '500 of a dead session manager',
      text(500, 'RuntimeError: Task group is not initialized. Make sure to use run().'),
      'Failing',
      'SessionManagerDown',
    ],
    ['404', text(404, 'not here'), 'Failing', 'RequestRefused'],
    ['400 with an error', (_seen, response) => json(response, 400, rpcError(1, -32600)), 'Failing', 'RequestRefused'],
    ['500 with an error', (_seen, response) => json(response, 500, rpcError(1, -32603)), 'Failing', 'HttpError'],
    ['302', text(302, '', { location: '/login' }), 'Failing', 'RequestRefused'],
    ['200 with nothing', text(200, ''), 'Failing', 'EmptyReply'],
    ['202', text(202, ''), 'Failing', 'EmptyReply'],
    ['an empty event stream', text(200, '', { 'content-type': 'text/event-stream' }), 'Failing', 'EmptyReply'],
    ['half JSON', text(200, '{"hello":', { 'content-type': 'application/json' }), 'Failing', 'WrongProtocol'],
    ['other JSON', text(200, '{"hello":1}', { 'content-type': 'application/json' }), 'Failing', 'WrongProtocol'],
    ['a web page', text(200, '<html></html>', { 'content-type': 'text/html' }), 'Failing', 'WrongProtocol'],
    [
      'a good reply of more than 64 KiB',
      (_seen, response) => json(response, 200, { ...INITIALIZED, padding: 'x'.repeat(70_000) }),
      'Failing',
      'WrongProtocol',
    ],
    [
      'an incomplete result',
      (_seen, response) => json(response, 200, { jsonrpc: '2.0', id: 1, result: {} }),
      'Failing',
      'WrongProtocol',
    ],
    ['an error', (_seen, response) => json(response, 200, rpcError(1, -32603)), 'Failing', 'WrongProtocol'],
    ...['2026-07-28', '1999-01-01', 'DRAFT'].map((protocolVersion): [string, Script, string, string] => [
      `the version ${protocolVersion}`,
      (_seen, response) => json(response, 200, { ...INITIALIZED, result: { ...INITIALIZED.result, protocolVersion } }),
      'Failing',
      'VersionMismatch',
    ]),
    ['a reset', (_seen, response) => void response.socket?.destroy(), 'Unreachable', 'EmptyReply'],
    [
      'a stream that breaks',
      (_seen, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n');
        setImmediate(() => response.socket?.destroy());
      },
      'Failing',
      'EmptyReply',
    ],
  ])('%s', async (_name, script, verdict, diagnosis) => {
    const { result } = await against(script);
    expect(result).toMatchObject({ verdict, diagnosis });
  });

  it('calls a process that accepts and never answers hung, by the deadline', async () => {
    const { result } = await against(() => undefined, { timeoutMs: 150 });
    expect(result).toMatchObject({ verdict: 'Unreachable', diagnosis: 'ProcessHung', evidence: { error: 'DEADLINE' } });
  });

  it.each([
    ['within half of the time limit serves', 50, 'Any', null],
    ['after half of the time limit serves, slowly', 850, 'Any', 'Slow'],
    ['in two eras that together take more than half serves, slowly', 450, 'Both', 'Slow'],
  ] as const)('a server that answers %s', async (_name, delayMs, eras, diagnosis) => {
    const { result } = await against(
      (seen, response) =>
        void setTimeout(() => json(response, 200, seen.rpc === 'initialize' ? INITIALIZED : DISCOVERED), delayMs),
      { eras, timeoutMs: 1_500 },
    );
    expect(result).toMatchObject({ verdict: 'Serving', diagnosis });
    if (diagnosis !== null) expect(result.message).toContain('took more than half of the 1500 ms');
  });

  it('takes an internal error for no sign of another era', async () => {
    const internal: Script = (_seen, response) => json(response, 200, rpcError(2, -32603));
    const { result } = await against(internal, { eras: 'Modern' });
    expect(result).toMatchObject({ verdict: 'Failing', diagnosis: 'WrongProtocol' });
  });

  it('ends a reply that never ends, by the deadline', async () => {
    const timers: NodeJS.Timeout[] = [];
    const { result } = await against(
      (_seen, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        timers.push(setInterval(() => response.write(': still here\n\n'), 10));
      },
      { timeoutMs: 200 },
    );
    timers.forEach(clearInterval);
    expect(result).toMatchObject({ verdict: 'Failing', diagnosis: 'NeverEndingReply', evidence: { status: 200 } });
  });

  it.each([
    ['never ends', false, 'NeverEndingReply'],
    ['breaks off', true, 'WrongProtocol'],
  ] as const)('does not take a JSON reply that %s for one, as no client would', async (_name, breaks, diagnosis) => {
    const { result } = await against(
      (_seen, response) => {
        const body = JSON.stringify(INITIALIZED);
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length + 1 });
        response.write(body, () => breaks && response.destroy());
      },
      { timeoutMs: 500 },
    );
    expect(result).toMatchObject({ verdict: 'Failing', diagnosis });
  });

  it('cleans and cuts what a server calls itself', async () => {
    const { result } = await against(
      (_seen, response) => {
        const serverInfo = { name: '\u001b[31mbad my-secret-key', version: '9'.repeat(5000) };
        json(response, 200, { ...INITIALIZED, result: { ...INITIALIZED.result, serverInfo } });
      },
      { headers: { 'x-key': 'my-secret-key' } },
    );
    expect(result.server?.name).toBe('[31mbad [redacted]');
    expect(result.server?.version.length).toBe(128);
  });

  it('reads no more than 64 KiB of a flood', async () => {
    let written = 0;
    const { result } = await against((_seen, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = () => {
        while (!response.destroyed && response.write(' '.repeat(16_384))) written += 16_384;
      };
      response.on('drain', more);
      more();
    });
    expect(result).toMatchObject({ verdict: 'Failing', diagnosis: 'WrongProtocol' });
    // What the buffers of both ends hold comes on top.
    expect(written).toBeLessThan(16 * 1024 * 1024);
  });

  it('has one deadline for all requests together', async () => {
    const started = performance.now();
    const { result } = await against(
      (seen, response) => {
        if (seen.rpc === 'initialize') setTimeout(() => json(response, 200, INITIALIZED), 500);
      },
      { eras: 'Both', timeoutMs: 700 },
    );
    expect(result).toMatchObject({ verdict: 'Unreachable', diagnosis: 'ProcessHung', evidence: { era: 'Modern' } });
    expect(performance.now() - started).toBeLessThan(1100);
  });

  it('survives a deadline that passed while a session was closed, before the second leg', async () => {
    const { result, sent } = await against(
      (seen, response) => {
        // The DELETE outlives the deadline, so the next request would start when no time is left.
        if (seen.rpc === 'initialize') json(response, 200, INITIALIZED, { 'mcp-session-id': 's1' });
      },
      { eras: 'Both', timeoutMs: 200 },
    );
    expect(result).toMatchObject({ verdict: 'Unreachable', evidence: { era: 'Modern', error: 'DEADLINE' } });
    expect(sent).toEqual(['POST initialize', 'DELETE']);
    // The error of a request that was given up comes in a later turn.
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('leaves the second leg time when the DELETE of the first hangs', async () => {
    const { result } = await against(
      (seen, response) => {
        if (seen.method === 'DELETE') return;
        if (seen.rpc === 'initialize') return json(response, 200, INITIALIZED, { 'mcp-session-id': 's1' });
        json(response, 200, DISCOVERED);
      },
      { eras: 'Both' },
    );
    expect(result).toMatchObject({ verdict: 'Serving', era: 'Both' });
  });

  it('tells a switch of protocols that nobody asked for from silence', async () => {
    const { result } = await against((_seen, response) => {
      response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    });
    expect(result).toMatchObject({ verdict: 'Failing', diagnosis: 'RequestRefused', evidence: { status: 101 } });
  });

  it('knows a refused connection', async () => {
    const server = await startScripted(() => undefined);
    await server.close();
    const result = await handshake({ url: server.url, timeoutMs: 2000 });
    expect(result).toMatchObject({
      verdict: 'Unreachable',
      diagnosis: 'ConnectionRefused',
      evidence: { status: null, error: 'ECONNREFUSED', phases: { connectMs: null } },
    });
  });

  it('knows that a name it cannot resolve is its own trouble', async () => {
    const result = await handshake({ url: 'http://studio-mcp.invalid/mcp/v1', timeoutMs: 5000 });
    expect(result).toMatchObject({ verdict: 'Unknown', diagnosis: 'NameResolution' });
  });

  it('calls what is not HTTP WrongProtocol', async () => {
    const tcp = createTcp((socket) => void socket.end('220 mail.example ESMTP\r\n'));
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const address = tcp.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const result = await handshake({ url: `http://127.0.0.1:${port}/mcp/v1`, timeoutMs: 2000 });
    tcp.close();
    expect(result).toMatchObject({ verdict: 'Failing', diagnosis: 'WrongProtocol' });
  });

  it('throws only when the caller gave up', async () => {
    const server = await serve(() => undefined);
    const controller = new AbortController();
    const running = handshake({ url: server.url, timeoutMs: 5000, signal: controller.signal });
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await vi.waitFor(() => expect(server.open()).toBe(0), 10_000);
  });
});

describe('credentials', () => {
  const headers = { Authorization: 'Bearer s3cret-key-of-mine' };
  /** Authentication stands before MCP, as in front of most servers. */
  const guarded =
    (inner: Script): Script =>
    (seen, response) =>
      seen.headers.authorization === 'Bearer s3cret-key-of-mine'
        ? inner(seen, response)
        : void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
  const dead: Script = (_seen, response) => void response.writeHead(500).end('Task group is not initialized');

  it('that are refused are KeyInvalid, still AuthRequired', async () => {
    const { result } = await against(guarded(dual), { headers: { authorization: 'Bearer other' } });
    expect(result).toMatchObject({ verdict: 'AuthRequired', diagnosis: 'KeyInvalid' });
  });

  it('show a dead session manager that 401 hides from a probe without them', async () => {
    const without = await against(guarded(dead));
    expect(without.result.verdict).toBe('AuthRequired');
    const within = await against(guarded(dead), { headers });
    expect(within.result).toMatchObject({ verdict: 'Failing', diagnosis: 'SessionManagerDown' });
  });

  it('go with every request and appear in no result', async () => {
    const { result, server } = await against(
      (seen, response) => {
        if (seen.method === 'DELETE') return void response.end();
        if (seen.rpc === 'initialize') return json(response, 200, INITIALIZED, { 'mcp-session-id': 'abc' });
        response.writeHead(500).end(`denied: ${seen.headers.authorization} ${seen.headers['x-key']}`);
      },
      { headers: { ...headers, 'X-Key': 'another-value' }, eras: 'Both' },
    );
    expect(server.seen.map((one) => one.headers['x-key'])).toEqual(['another-value', 'another-value', 'another-value']);
    expect(JSON.stringify(result)).not.toMatch(/s3cret|another-value/);
    expect(result.evidence.excerpt).toBe('denied: [redacted] [redacted]');
  });

  it('that HTTP does not allow are the own trouble of the observer', async () => {
    const { result } = await against(dual, { headers: { 'bad name': 'x' } });
    expect(result).toMatchObject({ verdict: 'Unknown', evidence: { error: 'ERR_INVALID_HTTP_TOKEN' } });
  });
});

it('asks the lookup that it is given for the name, also to end a session', async () => {
  const server = await serve((_seen, response) => json(response, 200, INITIALIZED, { 'mcp-session-id': 'one' }));
  const asked: string[] = [];
  const url = server.url.replace('127.0.0.1', 'kling.example');
  const result = await handshake({
    url,
    timeoutMs: 2000,
    lookup: (name, _options, callback) => {
      asked.push(name);
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    },
  });
  expect(result.verdict).toBe('Serving');
  expect(new Set(asked)).toEqual(new Set(['kling.example']));
  expect(asked).toHaveLength(server.seen.length);
});

describe('redirects', () => {
  const to =
    (status: number, location: (seen: { headers: { host?: string | undefined } }) => string): Script =>
    (seen, response) =>
      seen.path === '/mcp/v1/'
        ? json(response, 200, INITIALIZED)
        : void response.writeHead(status, { location: location(seen) }).end();

  it.each([307, 308])('%i to the own path is followed once, at the same address with the same Host', async (status) => {
    const { result, server } = await against(
      to(status, ({ headers }) => `http://${headers.host}/mcp/v1/`),
      { hostHeader: 'studio-mcp:5510' },
    );
    expect(result.verdict).toBe('Serving');
    expect(server.seen.map((one) => `${one.headers.host}${one.path}`)).toEqual([
      'studio-mcp:5510/mcp/v1',
      'studio-mcp:5510/mcp/v1/',
    ]);
    expect(server.seen[1]?.body).toBe(server.seen[0]?.body);
  });

  it('follows a relative one', async () => {
    const { result } = await against(to(307, () => '/mcp/v1/'));
    expect(result.verdict).toBe('Serving');
  });

  it('follows none where it must not', async () => {
    const { result, sent } = await against(
      to(307, () => '/mcp/v1/'),
      { followRedirects: false },
    );
    expect(result).toMatchObject({ verdict: 'Failing', diagnosis: 'RequestRefused' });
    expect(sent).toHaveLength(1);
  });

  it('never ends at a healthy neighbour', async () => {
    const neighbour = await serve((_seen, response) => json(response, 200, INITIALIZED));
    const { result } = await against(to(307, () => `${neighbour.url}/`));
    expect(result).toMatchObject({ verdict: 'Failing', diagnosis: 'RequestRefused' });
    expect(neighbour.seen).toEqual([]);
  });

  it('follows one, not two', async () => {
    const { result, sent } = await against((seen, response) => {
      response.writeHead(307, { location: `${seen.path}/` }).end();
    });
    expect(result).toMatchObject({ verdict: 'Failing', diagnosis: 'RequestRefused' });
    expect(sent).toHaveLength(2);
  });
});

describe('sessions of old servers', () => {
  const OLD = { ...INITIALIZED, result: { ...INITIALIZED.result, protocolVersion: '2025-03-26' } };

  /** Like a Python server of early 2025: dies when a session is closed, answers initialize in a session again. */
  function fragile() {
    const state = { sessions: 0, dead: false, takesAgain: true, unknown: 404 };
    const script: Script = (seen, response) => {
      if (state.dead) return void response.writeHead(500).end('Internal Server Error');
      const id = seen.headers['mcp-session-id'];
      if (seen.method === 'DELETE') {
        state.dead = state.takesAgain && id === `s${state.sessions}`;
        return void response.end();
      }
      if (id !== undefined && id !== `s${state.sessions}`) return json(response, state.unknown, rpcError(1, -32600));
      if (id !== undefined && !state.takesAgain) return json(response, 400, rpcError(1, -32600));
      if (id === undefined) state.sessions += 1;
      json(response, 200, OLD, { 'mcp-session-id': typeof id === 'string' ? id : `s${state.sessions}` });
    };
    return { state, script };
  }

  it('are not closed, and the one is used again', async () => {
    const { state, script } = fragile();
    const server = await serve(script);
    const again = createHandshaker();
    for (let round = 0; round < 5; round++) {
      expect(await again({ url: server.url, timeoutMs: 2000 })).toMatchObject({ verdict: 'Serving' });
    }
    expect(state).toMatchObject({ sessions: 1, dead: false });
    expect(server.seen.map((one) => one.headers['mcp-session-id'])).toEqual([undefined, 's1', 's1', 's1', 's1']);
    expect((await handshake({ url: server.url, timeoutMs: 2000 })).verdict).toBe('Serving');
    expect(state.dead).toBe(false);
  });

  it.each([404, 400])('are opened anew when the server was restarted (%i), and kept again', async (unknown) => {
    const { state, script } = fragile();
    state.unknown = unknown;
    const server = await serve(script);
    const again = createHandshaker();
    await again({ url: server.url, timeoutMs: 2000 });
    for (let restarts = 0; restarts < 3; restarts++) {
      state.sessions += 10;
      for (let round = 0; round < 3; round++) {
        expect((await again({ url: server.url, timeoutMs: 2000 })).verdict).toBe('Serving');
      }
    }
    expect(state).toMatchObject({ sessions: 34, dead: false });
  });

  it('are closed after all where initialize is taken once a session', async () => {
    const { state, script } = fragile();
    state.takesAgain = false;
    const server = await serve(script);
    const again = createHandshaker();
    for (let round = 0; round < 4; round++) await again({ url: server.url, timeoutMs: 2000 });
    const sent = server.seen.map((one) => `${one.method} ${one.headers['mcp-session-id'] ?? '-'}`);
    expect(sent).toEqual([
      'POST -',
      ...['POST s1', 'DELETE s1', 'POST -'],
      ...['POST s2', 'DELETE s2', 'POST -', 'DELETE s3'],
      ...['POST -', 'DELETE s4'],
    ]);
  });

  it('are remembered for a bounded number of servers', async () => {
    const { script } = fragile();
    const [one, two] = [await serve(script), await serve(script)];
    const again = createHandshaker(1);
    await again({ url: one.url, timeoutMs: 2000 });
    await again({ url: two.url, timeoutMs: 2000 });
    await again({ url: one.url, timeoutMs: 2000 });
    expect(one.seen.map((seen) => seen.headers['mcp-session-id'])).toEqual([undefined, undefined]);
  });
});
