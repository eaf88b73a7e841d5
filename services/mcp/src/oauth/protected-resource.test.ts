import { IdentityError } from '@klingapi/identity';
import { describe, expect, it } from 'vitest';
import { startFakeApi } from '../fake-api.ts';
import { startForTest } from '../start-for-test.ts';
import { describeResource } from './protected-resource.ts';

const options = { path: '/mcp/v1', issuer: 'https://login.example', scopes: ['kling:read', 'kling:create'] };

describe('what clients are told', () => {
  it.each([
    ['https://kling.example', 'https://kling.example/mcp/v1'],
    ['https://kling.example/', 'https://kling.example/mcp/v1'],
    ['https://kling.example/mcp/v1', 'https://kling.example/mcp/v1'],
    ['https://shared.example/kling', 'https://shared.example/kling/mcp/v1'],
  ])('at %s the endpoint is %s', (publicUrl, url) => {
    const resource = describeResource({ ...options, publicUrl });
    expect(resource.url).toBe(url);
    const { origin, pathname } = new URL(url);
    expect(resource.unauthenticated(new IdentityError('credentials_missing', 'x'))).toBe(
      `Bearer scope="kling:read kling:create", resource_metadata="${origin}/.well-known/oauth-protected-resource${pathname}"`,
    );
    expect(resource.metadataPaths).toContain(`/.well-known/oauth-protected-resource${pathname}`);
    expect(resource.metadataPaths).toContain('/.well-known/oauth-protected-resource/mcp/v1');
  });

  it('with a bad token is what is wrong with it, safe inside a header', () => {
    const resource = describeResource({ ...options, publicUrl: 'https://kling.example' });
    const header = resource.unauthenticated(new IdentityError('token_invalid', 'say "a"\r\nSet-Cookie: b'));
    expect(header).toContain(`Bearer error="invalid_token", error_description="say 'a'''Set-Cookie: b"`);
    expect(resource.insufficient('read')).toContain('error="insufficient_scope"');
    expect(resource.insufficient('read')).toContain('scope="kling:read"');
    expect(resource.insufficient('create')).toContain('scope="kling:read kling:create"');
  });
});

it('while the issuer is away callers are asked to come back, and readiness stays', async () => {
  const api = await startFakeApi();
  const told: string[] = [];
  const mcp = await startForTest({
    apiUrl: api.url,
    auth: 'oauth',
    // Nothing listens there.
    oauth: {
      issuer: 'http://127.0.0.1:1',
      audience: undefined,
      scopes: [],
      publicUrl: 'https://kling.example',
      allowHttp: false,
    },
    onError: (error) => told.push(String(error)),
  });
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'http://127.0.0.1:1', sub: 'a', exp: Date.now() / 1000 + 60 };
  const post = (authorization: string) =>
    fetch(mcp.url, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    });
  const away = await post(`Bearer ${encode({ alg: 'RS256' })}.${encode(claims)}.AAAA`);
  expect(away.status).toBe(503);
  expect(Number(away.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await away.json()).toMatchObject({ jsonrpc: '2.0', error: { code: -32603 } });
  expect((await post('Bearer opaque')).status).toBe(401);
  expect((await fetch(`http://127.0.0.1:${mcp.management.port}/readyz`)).status).toBe(200);
  expect(told.join()).toContain('the issuer of access tokens could not be asked');
  await mcp.close();
  await api.close();
});
