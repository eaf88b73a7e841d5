import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createAuthenticator, isAssertion, signAssertion, verifyAssertion, watchCallers } from './index.ts';

const KEY = 'an internal key of more than 32 bytes';
const NOW = 1_790_000_000_000;
const assertion = { subject: 'alice', audience: 'api', scopes: ['read', 'create'] } as const;

const closing: { close(): void }[] = [];
afterEach(() => {
  for (const open of closing.splice(0)) open.close();
});
const kept = <T extends { close(): void }>(open: T): T => {
  closing.push(open);
  return open;
};

/** A folder as the kubelet mounts a Secret: files are links through `..data`, which is swapped. */
function mountedSecret(dir: string, generation: string, files: Record<string, string>): void {
  const target = join(dir, `..${generation}`);
  mkdirSync(target, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(target, name), content);
    rmSync(join(dir, name), { force: true });
    symlinkSync(join('..data', name), join(dir, name));
  }
  symlinkSync(`..${generation}`, join(dir, '..data_tmp'));
  renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
}
const newDir = () => mkdtempSync(join(tmpdir(), 'callers-'));

describe('assertions', () => {
  it('say who calls, for one audience and one minute', async () => {
    const token = await signAssertion(assertion, KEY, NOW);
    expect(isAssertion(token)).toBe(true);
    const options = { audience: 'api', key: KEY } as const;
    expect(await verifyAssertion(token, { ...options, now: NOW + 30_000 })).toEqual({
      subject: 'alice',
      scopes: ['read', 'create'],
    });
    const refused = (o: Partial<Parameters<typeof verifyAssertion>[1]>) =>
      expect(verifyAssertion(token, { ...options, now: NOW, ...o })).rejects;
    await refused({ now: NOW + 75_000 }).toMatchObject({ code: 'assertion_expired' });
    await refused({ now: NOW - 60_000 }).toMatchObject({ name: 'IdentityError' });
    await refused({ audience: 'mcp' }).toMatchObject({ code: 'assertion_audience' });
    await refused({ key: `${KEY} but another` }).toMatchObject({ code: 'assertion_signature' });
    await expect(signAssertion(assertion, 'short')).rejects.toMatchObject({ code: 'key_too_short' });
  });

  it('are refused when they claim a longer life, another issuer, or no signature', async () => {
    const key = new TextEncoder().encode(KEY);
    const seconds = NOW / 1000;
    const forged = (change: (jwt: SignJWT) => SignJWT) =>
      change(
        new SignJWT({ scope: 'read' })
          .setProtectedHeader({ alg: 'HS256', typ: 'klingapi+jwt' })
          .setIssuer('klingapi')
          .setAudience('api')
          .setSubject('x')
          .setIssuedAt(seconds)
          .setExpirationTime(seconds + 60),
      ).sign(key);
    const verify = (token: string, now = NOW) => verifyAssertion(token, { audience: 'api', key: KEY, now });
    expect(await verify(await forged((jwt) => jwt))).toEqual({ subject: 'x', scopes: ['read'] });
    const year = await forged((jwt) => jwt.setExpirationTime(seconds + 31_536_000));
    await expect(verify(year, NOW + 3_600_000)).rejects.toMatchObject({ code: 'assertion_expired' });
    await expect(verify(await forged((jwt) => jwt.setIssuer('else')))).rejects.toMatchObject({
      code: 'assertion_claims',
    });
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const none = `${part({ alg: 'none', typ: 'klingapi+jwt' })}.${part({ sub: 'x', iss: 'klingapi', aud: 'api' })}.`;
    expect(isAssertion(none)).toBe(true);
    await expect(verify(none)).rejects.toMatchObject({ name: 'IdentityError' });
  });

  it('are told from any other text without throwing', () => {
    fc.assert(fc.property(fc.string(), (text) => isAssertion(text) === false));
    expect(isAssertion('a.b.c')).toBe(false);
  });
});

describe('callers', () => {
  it('are known by their key or its hash, and reload when the mount is swapped', async () => {
    const dir = newDir();
    const hash = createHash('sha256').update('bobs key').digest('hex');
    mountedSecret(dir, 'one', { alice: 'alices-key\n', bob: `sha256:${hash}` });
    const callers = kept(watchCallers(dir, { intervalMs: 5 }));
    expect(callers.names()).toEqual(['alice', 'bob']);
    expect(callers.authenticate('alices-key')).toMatchObject({ subject: 'alice' });
    expect(callers.authenticate('bobs key')).toMatchObject({ subject: 'bob' });
    expect(callers.authenticate(`sha256:${hash}`)).toBeUndefined();
    expect(callers.authenticate('')).toBeUndefined();

    mountedSecret(dir, 'two', { alice: 'new-key' });
    await vi.waitFor(() => expect(callers.authenticate('new-key')).toMatchObject({ subject: 'alice' }));
    expect(callers.authenticate('alices-key')).toBeUndefined();
  });

  it('are nobody when the folder is missing, empty or broken, which is told once', async () => {
    const told: string[] = [];
    const dir = newDir();
    const callers = kept(watchCallers(dir, { intervalMs: 5, onError: (message) => told.push(message) }));
    expect(callers.authenticate('')).toBeUndefined();
    writeFileSync(join(dir, 'empty'), ' \n');
    writeFileSync(join(dir, 'broken'), 'sha256:beef');
    writeFileSync(join(dir, 'system:verification'), 'secret-value');
    await vi.waitFor(() => expect(told.at(-1)).toContain('the caller name system:verification is reserved'));
    expect([callers.names(), callers.authenticate('secret-value')]).toEqual([[], undefined]);
    rmSync(dir, { recursive: true });
    await vi.waitFor(() => expect(told.at(-1)).toMatch(/cannot be read/));
    const count = told.length;
    writeFileSync(`${dir}-other`, '');
    await vi.waitFor(() => expect(callers.names()).toEqual([]));
    expect(callers.authenticate('secret-value')).toBeUndefined();
    expect(told.length).toBe(count);
    expect(told.join()).not.toContain('secret-value');
  });
});

it('a caller with settings may do what they say, also when another process speaks for it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'callers-'));
  const limits = { createsPerMinute: 3 };
  writeFileSync(join(dir, 'carol'), JSON.stringify({ key: 'carols-key', scopes: ['read'], limits }));
  writeFileSync(join(dir, 'dan'), JSON.stringify({ key: 'dans-key', limit: {} }));
  const authenticate = createAuthenticator({ auth: 'callers', callersDir: dir, internalKey: KEY, audience: 'api' });
  expect(await authenticate('Bearer carols-key')).toEqual({
    ...{ subject: 'carol', scopes: ['read'], account: false, limits },
  });
  const token = await signAssertion({ subject: 'carol', audience: 'api', scopes: ['read', 'create'] }, KEY);
  expect(await authenticate(`Bearer ${token}`)).toEqual({ subject: 'carol', scopes: ['read', 'create'], limits });
  // A setting that nobody would heed is no caller.
  expect(await authenticate('Bearer dans-key')).toMatchObject({ error: { code: 'credentials_unknown' } });
  authenticate.close();
});

describe('authentication', () => {
  const withCallers = () => {
    const dir = newDir();
    writeFileSync(join(dir, 'alice'), 'alices-key');
    return kept(
      createAuthenticator({
        auth: 'callers',
        callersDir: dir,
        internalKey: KEY,
        audience: 'mcp',
        extraTokens: new Map([['own-token', { subject: 'system:handshake', scopes: ['handshake'] }]]),
        clock: () => NOW,
      }),
    );
  };

  it('knows callers, assertions and its own tokens, and refuses everybody else', async () => {
    const authenticate = withCallers();
    expect(await authenticate('Bearer alices-key')).toMatchObject({
      ...{ subject: 'alice', scopes: ['read', 'create'], account: false },
    });
    expect(await authenticate('bearer own-token')).toEqual({ subject: 'system:handshake', scopes: ['handshake'] });
    const probe = await signAssertion(
      { subject: 'system:handshake', audience: 'mcp', scopes: ['handshake'] },
      KEY,
      NOW,
    );
    expect(await authenticate(`Bearer ${probe}`)).toEqual({ subject: 'system:handshake', scopes: ['handshake'] });
    for (const [header, code] of [
      [undefined, 'credentials_missing'],
      ['', 'credentials_missing'],
      ['Basic alices-key', 'credentials_missing'],
      ['Bearer wrong', 'credentials_unknown'],
      [`Bearer ${await signAssertion({ ...assertion, audience: 'api' }, KEY, NOW)}`, 'assertion_audience'],
      [`Bearer ${await signAssertion({ ...assertion, audience: 'mcp' }, `${KEY}2`, NOW)}`, 'assertion_signature'],
    ] as const) {
      expect(await authenticate(header)).toMatchObject({ error: { code } });
    }
  });

  it('judges what claims to be an assertion as one only, even when the door is open', async () => {
    const open = kept(createAuthenticator({ auth: 'none', audience: 'api', internalKey: KEY, clock: () => NOW }));
    expect(await open(undefined)).toMatchObject({ subject: 'anonymous', scopes: ['read', 'create'] });
    expect(await open('Bearer whatever')).toMatchObject({ subject: 'anonymous', scopes: ['read', 'create'] });
    const token = await signAssertion(assertion, KEY, NOW);
    expect(await open(`Bearer ${token}`)).toEqual({ subject: 'alice', scopes: ['read', 'create'] });
    expect(await open(`Bearer ${token.slice(0, -2)}xx`)).toMatchObject({ error: { name: 'IdentityError' } });
  });

  it('does not start without a folder of callers or with a weak key', () => {
    expect(() => createAuthenticator({ auth: 'callers', audience: 'api' })).toThrow(/folder of callers/);
    expect(() => createAuthenticator({ auth: 'none', audience: 'api', internalKey: 'weak' })).toThrow(/32 bytes/);
  });
});
