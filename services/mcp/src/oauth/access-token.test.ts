import { createServer, type ServerResponse } from 'node:http';
import { isRefusal } from '@klingapi/identity';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAccessTokenJudge } from './access-token.ts';
import { metadataAddresses } from './discovery.ts';
import { createJsonFetcher } from './fetch-json.ts';
import { createIssuerKeys } from './issuer-keys.ts';

const AUDIENCE = 'https://kling.example/mcp/v1';
const NOW = 1_790_000_000_000;
const SECONDS = NOW / 1000;
const ACCEPTED = ['kling:read', 'kling:create'];

type Answer = (response: ServerResponse) => void;
const send =
  (body: unknown, status = 200, headers = {}): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

/** An issuer whose every answer the test decides. */
let issuer: string;
let asked: string[];
let routes: Record<string, Answer>;
let cleanup: (() => Promise<void>)[];
let clock = 0;
let rsa: Awaited<ReturnType<typeof signer>>;

async function signer(kid: string, alg = 'RS256') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }, privateKey, publicKey, kid, alg };
}

beforeEach(async () => {
  asked = [];
  cleanup = [];
  clock = 0;
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    (routes[request.url ?? ''] ?? send({}, 404))(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  issuer = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  cleanup.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  rsa = await signer('one');
  routes = {
    '/.well-known/oauth-authorization-server': send({ issuer, jwks_uri: `${issuer}/keys` }),
    '/keys': send({ keys: [rsa.jwk] }),
  };
});
afterEach(async () => {
  for (const close of cleanup.reverse()) await close();
});

function start(of = issuer, scopes = ACCEPTED) {
  const fetcher = createJsonFetcher({ allowHttp: false });
  cleanup.push(() => fetcher.close());
  const told: string[] = [];
  const keys = createIssuerKeys({
    issuer: of,
    fetcher,
    clock: () => clock,
    onError: ({ message }) => told.push(message),
  });
  const judge = createAccessTokenJudge({ issuer: of, audience: AUDIENCE, scopes, keys, now: () => NOW });
  return {
    told,
    async judge(token: string) {
      const judged = await judge(token);
      return isRefusal(judged) ? `${judged.error.code}: ${judged.error.message}` : judged;
    },
  };
}

function token(claims: JWTPayload = {}, header: Record<string, unknown> = {}, by = rsa) {
  return new SignJWT({
    iss: issuer,
    aud: AUDIENCE,
    sub: 'alice',
    exp: SECONDS + 60,
    scope: 'openid kling:read kling:create',
    ...claims,
  })
    .setProtectedHeader({ alg: by.alg, kid: by.kid, typ: 'at+jwt', ...header })
    .sign(by.privateKey);
}
const fetches = () => asked.filter((path) => path === '/keys').length;

describe('an access token', () => {
  it('says who calls and what they may', async () => {
    const { judge } = start();
    const alice = { subject: 'oauth:alice', scopes: ['read', 'create'] };
    expect(await judge(await token())).toEqual(alice);
    expect(await judge(await token({ aud: ['x', AUDIENCE] }, { typ: 'JWT' }))).toEqual(alice);
    expect(await judge(await token({ scope: 'kling:read' }))).toMatchObject({ scopes: ['read'] });
    expect(await judge(await token({ scope: undefined, scp: ['kling:read'] }))).toMatchObject({ scopes: ['read'] });
    expect(await judge(await token({ scope: 'openid' }))).toMatchObject({ scopes: [] });
    expect(await start(issuer, []).judge(await token({ scope: 'openid' }))).toMatchObject({
      scopes: ['read', 'create'],
    });
    for (const [demanded, scope, scopes] of [
      [['mcp'], 'mcp', ['read', 'create']],
      // All of them.
      [['mcp', 'paid'], 'mcp', []],
      [['mcp', 'kling:create'], 'mcp', ['read']],
      [['mcp', 'kling:create'], 'kling:create', []],
      [['kling.write'], 'openid', []],
    ] as const) {
      expect(await start(issuer, [...demanded]).judge(await token({ scope }))).toMatchObject({ scopes });
    }
  });

  it.each(['ES256', 'PS256', 'EdDSA'])('may be signed by %s', async (alg) => {
    const other = await signer('other', alg);
    routes['/keys'] = send({ keys: [rsa.jwk, other.jwk] });
    expect(await start().judge(await token({}, {}, other))).toMatchObject({ subject: 'oauth:alice' });
  });

  it('may name no key: all that fit are tried', async () => {
    const other = await signer('other');
    routes['/keys'] = send({ keys: [other.jwk, rsa.jwk] });
    expect(await start().judge(await token({}, { kid: undefined }))).toMatchObject({ subject: 'oauth:alice' });
  });

  it('of a long or strange subject goes by its hash, of another by another', async () => {
    const { judge } = start();
    const names = await Promise.all(
      ['x'.repeat(5000), 'x'.repeat(5001), 'a\nb', 'sha256:00', 'é'].map(async (sub) => {
        const judged = await judge(await token({ sub }));
        return typeof judged === 'string' ? judged : judged.subject;
      }),
    );
    for (const name of names) expect(name).toMatch(/^oauth:sha256:[0-9a-f]{64}$/);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each([
    ['for another service', { aud: 'https://other.example' }, {}, 'for another service'],
    ['for nobody', { aud: undefined }, {}, 'for another service'],
    ['of another issuer', { iss: 'https://evil.example' }, {}, 'of another issuer'],
    ['that has expired', { exp: SECONDS - 31 }, {}, 'has expired'],
    ['that never expires', { exp: undefined }, {}, 'has expired'],
    ['that is not valid yet', { nbf: SECONDS + 31 }, {}, 'not valid yet'],
    ['without subject', { sub: undefined }, {}, 'claim sub'],
    ['that is a logout token', {}, { typ: 'logout+jwt' }, 'no access token'],
    ['that is bound to a key', { cnf: { jkt: 'x' } }, {}, 'bound to a key'],
  ])('%s is refused', async (_name, claims, header, why) => {
    const answer = await start().judge(await token(claims as JWTPayload, header));
    expect(answer).toMatch(/^token_invalid/);
    expect(answer).toContain(why);
  });

  it('is given half a minute of clock skew either way', async () => {
    const { judge } = start();
    expect(await judge(await token({ exp: SECONDS - 29 }))).toMatchObject({ subject: 'oauth:alice' });
    expect(await judge(await token({ nbf: SECONDS + 29 }))).toMatchObject({ subject: 'oauth:alice' });
  });

  it('by an algorithm with a shared key, or by none, is refused without asking the issuer', async () => {
    const { judge } = start();
    const claims = { iss: issuer, aud: AUDIENCE, sub: 'eve', exp: SECONDS + 60 };
    const spki = new TextEncoder().encode(JSON.stringify(rsa.jwk));
    const confused = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(spki);
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const unsigned = `${encode({ alg: 'none' })}.${encode(claims)}.`;
    for (const forged of [confused, unsigned, 'opaque', 'a.b.c', '..', (await token()).slice(0, -9)]) {
      expect(await judge(forged)).toMatch(/^token_invalid/);
    }
    expect(fetches()).toBeLessThanOrEqual(1);
  });

  it('by a key of somebody else under the same name is refused', async () => {
    const thief = await signer('one');
    expect(await start().judge(await token({}, {}, thief))).toBe(
      'token_invalid: the signature of the access token is wrong',
    );
  });
});

describe('the keys of the issuer', () => {
  it('are fetched once for many, and again when they are old', async () => {
    const { judge } = start();
    const alice = await token();
    await Promise.all(Array.from({ length: 50 }, () => judge(alice)));
    expect(fetches()).toBe(1);
    clock += 11 * 60_000;
    await judge(alice);
    expect(fetches()).toBe(2);
  });

  it('are fetched again for a key that is not among them, but not for every one that is made up', async () => {
    const { judge } = start();
    await judge(await token());
    const next = await signer('two');
    routes['/keys'] = send({ keys: [rsa.jwk, next.jwk] });
    clock += 20_000;
    expect(await judge(await token({}, {}, next))).toMatchObject({ subject: 'oauth:alice' });
    expect(fetches()).toBe(2);
    for (let i = 0; i < 100; i++) {
      expect(await judge(await token({}, { kid: `made-up-${i}` }))).toBe('token_invalid: the issuer has no such key');
    }
    expect(fetches()).toBe(2);
  });

  it('that cannot be had are no fault of the token', async () => {
    const { judge, told } = start();
    routes['/keys'] = send({}, 500);
    expect(await judge(await token())).toMatch(/^issuer_unavailable/);
    expect(told).toEqual([`${issuer} answered HTTP 500`]);
    // Not at once again.
    expect(await judge(await token())).toMatch(/^issuer_unavailable/);
    expect(fetches()).toBe(1);
    routes['/keys'] = send({ keys: [rsa.jwk] });
    clock += 15_000;
    expect(await judge(await token())).toMatchObject({ subject: 'oauth:alice' });
  });

  it('count for an hour while the issuer is away; a key that it may have made meanwhile is not called wrong', async () => {
    const { judge } = start();
    await judge(await token());
    routes = {};
    clock += 59 * 60_000;
    expect(await judge(await token())).toMatchObject({ subject: 'oauth:alice' });
    expect(await judge(await token({}, {}, await signer('two')))).toMatch(/^issuer_unavailable/);
    clock += 60_000;
    expect(await judge(await token())).toMatch(/^issuer_unavailable/);
  });

  it.each([
    ['metadata of another issuer', () => send({ issuer: 'https://evil.example', jwks_uri: `${issuer}/keys` })],
    ['metadata without keys', () => send({ issuer })],
    ['keys over plain http elsewhere', () => send({ issuer, jwks_uri: 'http://keys.example/' })],
    ['a redirect', () => send({}, 302, { location: '/elsewhere' })],
    ['no JSON', (): Answer => (response) => void response.end('<html>')],
    ['more than 256 KiB', () => send({ issuer, jwks_uri: `${issuer}/keys`, more: 'x'.repeat(300_000) })],
    ['a broken connection', (): Answer => (response) => void response.destroy()],
  ])('are not taken from %s', async (name, answer) => {
    routes['/.well-known/oauth-authorization-server'] = answer();
    const { judge, told } = start();
    expect(await judge(await token())).toMatch(/^issuer_unavailable/);
    expect(told).toHaveLength(1);
    expect(fetches()).toBe(0);
    if (name === 'keys over plain http elsewhere') expect(told).toEqual(['http://keys.example is not https']);
  });

  it('are found by RFC 8414 or OpenID Connect, with or without a path', async () => {
    expect(metadataAddresses('https://as.example/tenant').map(String)).toEqual([
      'https://as.example/.well-known/oauth-authorization-server/tenant',
      'https://as.example/.well-known/openid-configuration/tenant',
      'https://as.example/tenant/.well-known/openid-configuration',
    ]);
    expect(metadataAddresses('https://as.example/').map(String)).toEqual([
      'https://as.example/.well-known/oauth-authorization-server',
      'https://as.example/.well-known/openid-configuration',
    ]);
    const realm = `${issuer}/realms/kling`;
    routes = {
      '/realms/kling/.well-known/openid-configuration': send({ issuer: realm, jwks_uri: `${issuer}/keys` }),
      '/keys': send({ keys: [rsa.jwk] }),
    };
    expect(await start(realm).judge(await token({ iss: realm }))).toMatchObject({ subject: 'oauth:alice' });
  });
});
