import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { signAssertion } from '@klingapi/identity';
import { handshake } from '@klingapi/probe';
import {
  Client,
  ClientCredentialsProvider,
  type OAuthClientProvider,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeApi, INTERNAL_KEY, startFakeApi } from '../fake-api.ts';
import type { Mcp } from '../server.ts';
import { startForTest } from '../start-for-test.ts';
import { APP, logIn, MACHINE, type RealIssuer, SCOPES, startRealIssuer } from './real-issuer.ts';

const cleanups: (() => Promise<unknown>)[] = [];
let issuer: RealIssuer;
let api: FakeApi;
let mcp: Mcp;
/** Every byte that the MCP service sent to the API service. */
let wire = '';

/** A TCP relay in front of the API that keeps what passes. */
async function startRelay(target: string): Promise<string> {
  const { port: to } = new URL(target);
  const relay = createServer((client) => {
    const server = connect(Number(to), '127.0.0.1');
    client.on('data', (chunk) => {
      wire += chunk.toString('latin1');
    });
    client.pipe(server).pipe(client);
    for (const socket of [client, server]) socket.on('error', () => client.destroy());
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  cleanups.push(() => new Promise((resolve) => relay.close(resolve)));
  const address = relay.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

beforeAll(async () => {
  issuer = await startRealIssuer();
  api = await startFakeApi();
  const apiUrl = await startRelay(api.url);
  const port = await freePort();
  mcp = await startForTest({
    port,
    apiUrl,
    auth: 'oauth',
    oauth: {
      issuer: issuer.issuer,
      audience: undefined,
      scopes: SCOPES,
      publicUrl: `http://127.0.0.1:${port}`,
      allowHttp: false,
    },
  });
  // The relay closes last: it waits for the connections of the other two.
  cleanups.push(issuer.close, api.close, mcp.close);
}, 30_000);
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

/** Keeps every token that the issuer gave out. */
const tokens: string[] = [];
function remembering<P extends OAuthClientProvider>(provider: P): P {
  const save = provider.saveTokens.bind(provider);
  provider.saveTokens = (saved, ...rest) => {
    tokens.push(saved.access_token);
    return save(saved, ...rest);
  };
  return provider;
}

async function connected(authProvider: OAuthClientProvider): Promise<Client> {
  const client = new Client({ name: 'oauth', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new StreamableHTTPClientTransport(new URL(mcp.url), { authProvider }));
  return client;
}

describe('a client with nothing but the address', { timeout: 30_000 }, () => {
  it('finds the issuer, gets a token by client credentials and makes a picture', async () => {
    const client = await connected(
      remembering(new ClientCredentialsProvider({ ...MACHINE, expectedIssuer: issuer.issuer })),
    );
    const made = await client.callTool({ name: 'create_text_to_image_tool', arguments: { prompt: 'a cat' } });
    expect(made.isError ?? false).toBe(false);
    expect(api.received.at(-1)).toMatchObject({ subject: 'oauth:machine', scopes: ['read', 'create'] });
    await client.close();
  });

  it('lets a person log in: authorization code with PKCE', async () => {
    let verifier = '';
    let authorization: URL | undefined;
    let saved: Parameters<OAuthClientProvider['saveTokens']>[0] | undefined;
    const provider: OAuthClientProvider = remembering({
      redirectUrl: APP.redirectUri,
      clientMetadata: { redirect_uris: [APP.redirectUri], scope: SCOPES.join(' ') },
      clientInformation: () => ({ client_id: APP.clientId }),
      tokens: () => saved,
      saveTokens: (given) => {
        saved = given;
      },
      redirectToAuthorization: (url) => {
        authorization = url;
      },
      saveCodeVerifier: (given) => {
        verifier = given;
      },
      codeVerifier: () => verifier,
    });
    const transport = new StreamableHTTPClientTransport(new URL(mcp.url), { authProvider: provider });
    const stranger = new Client(
      { name: 'oauth', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    await expect(stranger.connect(transport)).rejects.toThrow();
    expect(authorization?.searchParams.get('resource')).toBe(mcp.url);
    expect(authorization?.searchParams.get('code_challenge_method')).toBe('S256');
    await transport.finishAuth((await logIn(authorization as URL, 'alice@example.com')).searchParams);
    const client = await connected(provider);
    const made = await client.callTool({ name: 'create_text_to_image_tool', arguments: { prompt: 'a cat' } });
    expect(made.isError ?? false).toBe(false);
    expect(api.received.at(-1)?.subject).toBe('oauth:alice@example.com');
    await client.close();
  });

  it('may only read with a token for reading, and is told which scope it takes', async () => {
    const granted = await fetch(`${issuer.issuer}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${MACHINE.clientId}:${MACHINE.clientSecret}`).toString('base64')}`,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'kling:read', resource: mcp.url }),
    });
    const { access_token: token } = (await granted.json()) as { access_token: string };
    tokens.push(token);
    const before = api.received.length;
    const send = (method: string, params: unknown) =>
      fetch(mcp.url, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      });
    expect((await send('tools/list', {})).status).toBe(200);
    expect((await send('tools/call', { name: 'get_task_status_tool', arguments: { task_id: 'x' } })).status).toBe(200);
    const reply = await send('tools/call', { name: 'create_text_to_image_tool', arguments: { prompt: 'a cat' } });
    expect(reply.status).toBe(403);
    expect(reply.headers.get('www-authenticate')).toMatch(
      /^Bearer error="insufficient_scope".* scope="kling:read kling:create"/,
    );
    expect(api.received.length).toBe(before + 1);
    expect(api.received.at(-1)).toMatchObject({ subject: 'oauth:machine', scopes: ['read'] });
  });

  it('keeps its token to itself: no byte of it goes to the API', () => {
    expect(new Set(tokens).size).toBeGreaterThanOrEqual(3);
    expect(wire).toContain('POST /api/images/generations');
    for (const token of tokens) {
      expect(token.split('.').length).toBe(3);
      for (const part of token.split('.').slice(1)) expect(wire).not.toContain(part);
    }
  });
});

describe('beside OAuth', () => {
  it('our own assertions are taken as before, and readiness needs no issuer', async () => {
    const key = { subject: 'system:handshake', audience: 'mcp', scopes: ['handshake'] } as const;
    const headers = { authorization: `Bearer ${await signAssertion(key, INTERNAL_KEY)}` };
    expect(await handshake({ url: mcp.url, eras: 'Both', timeoutMs: 3000, headers })).toMatchObject({
      verdict: 'Serving',
      era: 'Both',
    });
    expect(await handshake({ url: mcp.url, timeoutMs: 3000 })).toMatchObject({ verdict: 'AuthRequired' });
    expect((await fetch(`http://127.0.0.1:${mcp.management.port}/readyz`)).status).toBe(200);
  });

  it.each(['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp/v1'])(
    'the metadata are at %s, for any page to read',
    async (path) => {
      const reply = await fetch(new URL(path, mcp.url), { headers: { origin: 'https://inspector.example' } });
      expect([reply.status, reply.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
      const asked = { origin: 'https://inspector.example', 'access-control-request-headers': 'mcp-protocol-version' };
      const preflight = await fetch(new URL(path, mcp.url), { method: 'OPTIONS', headers: asked });
      expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
      expect(preflight.headers.get('access-control-allow-headers')).toBe('mcp-protocol-version');
      expect(await reply.json()).toEqual({
        resource: mcp.url,
        authorization_servers: [issuer.issuer],
        scopes_supported: SCOPES,
        bearer_methods_supported: ['header'],
        resource_name: 'Kling',
      });
    },
  );

  it('tokens are counted by what became of them', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${mcp.management.port}/metrics`)).text();
    expect(metrics).toMatch(/klingapi_mcp_access_tokens_total\{outcome="accepted",app="mcp"\} [1-9]/);
    expect(metrics).toMatch(/klingapi_mcp_issuer_fetches_total\{outcome="fetched",app="mcp"\} 1/);
  });
});
