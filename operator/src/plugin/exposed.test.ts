/** What goes to a public address: no key where somebody on the way, or a stranger at its end, could read it. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { outsideFacts } from './doctor/outside.ts';
import { wellOf } from './testing.ts';
import { type Desk, KLINGAPIS, openDesk } from './typed.testing.ts';

let desk: Desk;
/** A stranger that asks for a key, and what it was sent. */
let stranger: Server;
let url = '';
let sent: (string | undefined)[] = [];
beforeEach(async () => {
  sent = [];
  stranger = createServer((request, reply) => {
    sent.push(request.headers.authorization);
    reply.writeHead(401).end();
  }).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  desk = await openDesk({
    [`GET ${KLINGAPIS}/studio`]: wellOf({ expose: { url } }),
    'GET /api/v1/namespaces/media/secrets/studio-callers': {
      data: { default: Buffer.from('the-key').toString('base64') },
    },
  });
});
afterEach(async () => {
  stranger.closeAllConnections();
  stranger.close();
  await desk.close();
});

describe('the key of a caller', () => {
  it('is not sent over plain http, unless somebody says so', async () => {
    const refused = await desk.typed(['picture', 'studio', 'a kite']);
    expect(refused.err).toContain(`${url}/mcp/v1 is not encrypted`);
    expect(refused.err).toContain('use --port-forward, or --insecure-http');
    expect([refused.code, sent]).toEqual([1, []]);
    const { err } = await desk.typed(['picture', 'studio', 'a kite', '--insecure-http']);
    expect(err).toContain(`the MCP server at ${url}/mcp/v1 gave no picture`);
    expect(new Set(sent)).toEqual(new Set(['Bearer the-key']));
    expect(refused.err + err).not.toContain('the-key');
  });

  it('does not go with the handshake of the doctor, which asks for none', async () => {
    const facts = await outsideFacts(wellOf({ expose: { url } }), undefined, new AbortController().signal);
    expect(facts).toMatchObject({ url: `${url}/mcp/v1`, handshake: { verdict: 'AuthRequired' } });
    expect(new Set(sent)).toEqual(new Set([undefined]));
  });
});

describe('mcp-config', () => {
  it('looks at how the Secret holds the key, and prints none of it', async () => {
    const held = (content: string) =>
      desk.answer({
        'GET /api/v1/namespaces/media/secrets/studio-callers': {
          data: { default: Buffer.from(content).toString('base64') },
        },
      });
    const printed = async () => (await desk.typed(['mcp-config', 'studio', '--client', 'vscode'])).err;
    expect(await printed()).toMatch(/base64 -d\)"$/m);
    held('{"key":"the-key","scopes":["read"]}');
    expect(await printed()).toMatch(/base64 -d \| jq -r \.key\)"$/m);
    held(`sha256:${'0'.repeat(64)}`);
    expect(await printed()).toContain('holds a hash of the key of caller default alone');
    held('the-key');
    expect(await printed()).not.toContain('the-key');
    // who may not read the Secret here may be able to elsewhere
    desk.answer({
      'GET /api/v1/namespaces/media/secrets/studio-callers': (exchange) => exchange.reply(403, { message: 'no' }),
    });
    expect(await printed()).toMatch(/base64 -d\)"$/m);
  });
});

describe('an IPv6 address', () => {
  it('in brackets is no name to look up', async () => {
    const facts = await outsideFacts(
      wellOf({ expose: { url: 'http://[::1]:1' } }),
      undefined,
      new AbortController().signal,
    );
    expect(facts).toMatchObject({ url: 'http://[::1]:1/mcp/v1', resolves: true });
  });
});
