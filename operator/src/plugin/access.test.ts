/** Kubeconfigs, proxies and the programs that give credentials, as kubectl takes them. */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { credentialOf } from './cluster/credential.ts';
import { loadKubeConfig } from './cluster/kubeconfig-files.ts';
import { proxyFor } from './cluster/proxy.ts';
import { wellOf } from './testing.ts';
import { configOf, type Desk, KLINGAPIS, listOf, openDesk } from './typed.testing.ts';

const studio = wellOf();
let desk: Desk;
beforeEach(async () => {
  desk = await openDesk({ [`GET ${KLINGAPIS}`]: listOf(studio), [`GET ${KLINGAPIS}/studio`]: studio });
});
afterEach(() => desk.close());

describe('KUBECONFIG', () => {
  it('is a list: the first that says something wins, and a file that is missing or empty is skipped', async () => {
    const empty = join(desk.folder, 'empty');
    await writeFile(empty, '');
    const first = await desk.kubeconfig('first', configOf(desk.url));
    const second = await desk.kubeconfig('second', {
      ...configOf('https://127.0.0.1:1', { token: 'another' }),
      'current-context': 'away',
      contexts: [{ name: 'away', context: { cluster: 'home', user: 'me', namespace: 'others' } }],
    });
    const list = [join(desk.folder, 'none'), empty, first, second].join(delimiter);
    const { code, err } = await desk.typed(['status'], { env: { KUBECONFIG: list } });
    expect([code, err]).toEqual([0, '']);
    expect(desk.exchanges[0]?.headers.authorization).toBe('Bearer a-token');
    expect(loadKubeConfig(undefined, { KUBECONFIG: list }).contexts.map(({ name }) => name)).toEqual(['home', 'away']);
    expect((await desk.typed(['status', '--kubeconfig', ''], { env: { KUBECONFIG: list } })).code).toBe(0);
  });

  it('of which no file is there is told as that', async () => {
    const { code, err } = await desk.typed(['status'], { env: { KUBECONFIG: join(desk.folder, 'none') } });
    expect(err).toMatch(/^error: the kubeconfig cannot be read \(.*none: there is no such file.*KUBECONFIG\n$/);
    expect(code).toBe(1);
  });

  it('is what completion offers contexts from, and so is a file that was typed', async () => {
    const other = await desk.kubeconfig('other', {
      ...configOf(desk.url),
      contexts: [{ name: 'elsewhere', context: { cluster: 'home', user: 'me' } }],
    });
    const { out } = await desk.typed(['__complete', '--kubeconfig', other, 'status', '--context', '']);
    expect(out).toBe('elsewhere\n:4\n');
    expect((await desk.typed(['__complete', 'status', '--context', ''])).out).toBe('home\n:4\n');
  });
});

describe('a credential plugin', () => {
  const login = async (lines: string, exec: object = {}): Promise<{ env: { KUBECONFIG: string } }> => {
    await writeFile(join(desk.folder, 'login'), `#!/bin/sh\necho run >> ${desk.folder}/runs\n${lines}\n`);
    await chmod(join(desk.folder, 'login'), 0o755);
    const user = { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './login', ...exec } };
    return { env: { KUBECONFIG: await desk.kubeconfig('exec', configOf(desk.url, user)) } };
  };
  const credential = (status: object): string =>
    `echo '${JSON.stringify({ kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', status })}'`;
  const runs = async (): Promise<number> => (await readFile(join(desk.folder, 'runs'), 'utf8')).split('\n').length - 1;

  it('runs once for calls that begin together, and for as long as it takes', async () => {
    const around = await login(`sleep 1\n${credential({ token: 'from-login' })}`);
    const { code, err } = await desk.typed(['doctor', 'studio', '--request-timeout', '500ms'], around);
    expect([code, err]).toEqual([1, '']);
    expect(await runs()).toBe(1);
    expect(desk.exchanges.length).toBeGreaterThan(3);
    for (const { headers } of desk.exchanges) expect(headers.authorization).toBe('Bearer from-login');
  });

  it('runs again when its credential has ended', async () => {
    const around = await login(credential({ token: 'short', expirationTimestamp: '2020-01-01T00:00:00Z' }));
    expect((await desk.typed(['history', 'studio'], around)).code).toBe(0);
    expect(await runs()).toBe(desk.exchanges.length);
  });

  /** Waits as before a call. */
  const prepared = (env: { KUBECONFIG: string }): (() => Promise<void>) => {
    const prepare = credentialOf(loadKubeConfig(undefined, env), {
      signal: AbortSignal.timeout(20_000),
      isQuiet: true,
    });
    if (prepare === undefined) throw new Error('the user needs no program');
    return prepare;
  };

  it('runs once for calls that begin together after its credential has ended', async () => {
    const ended = { token: 'short', expirationTimestamp: '2020-01-01T00:00:00Z' };
    const prepare = prepared((await login(credential(ended))).env);
    await prepare();
    await Promise.all(Array.from({ length: 5 }, prepare));
    expect(await runs()).toBe(2);
  });

  it('runs again after it failed to renew its credential', async () => {
    const ended = { token: 'short', expirationTimestamp: '2020-01-01T00:00:00Z' };
    const failsSecond = `[ "$(wc -l < ${desk.folder}/runs)" -ne 2 ] || exit 3`;
    const prepare = prepared((await login(`${failsSecond}\n${credential(ended)}`)).env);
    await prepare();
    await expect(prepare()).rejects.toThrow('it ended with 3');
    await prepare();
    expect(await runs()).toBe(3);
  });

  it('is looked for beside the kubeconfig of the home folder as well', async () => {
    const { env } = await login(credential({ token: 'from-home' }));
    await mkdir(join(desk.folder, '.kube'));
    await rename(env.KUBECONFIG, join(desk.folder, '.kube/config'));
    await rename(join(desk.folder, 'login'), join(desk.folder, '.kube/login'));
    const { code, err } = await desk.typed(['status', 'studio'], { env: { HOME: desk.folder } });
    expect([code, err]).toEqual([0, '']);
    expect(desk.exchanges[0]?.headers.authorization).toBe('Bearer from-home');
  });

  it.each<[string, string, object, RegExp]>([
    [
      'is missing',
      '',
      { command: 'no-such-login', installHint: 'See example.com\n' },
      /no-such-login of user "me" in the kubeconfig is not installed: See example\.com\n$/,
    ],
    ['fails', 'exit 3', {}, /login of user "me" in the kubeconfig gave no credential: it ended with 3/],
    ['says something else', 'echo hello', {}, /gave something other than an ExecCredential/],
  ])('that %s is told as that', async (_, lines, exec, words) => {
    const { code, err } = await desk.typed(['status', 'studio'], await login(lines, exec));
    expect(err).toMatch(words);
    expect(err).not.toContain('does not answer');
    expect([code, desk.asked]).toEqual([1, []]);
  });
});

describe('the proxy of the environment', () => {
  it.each<[string, Record<string, string>, string | undefined]>([
    ['https://k.example.com', {}, undefined],
    ['https://k.example.com', { HTTPS_PROXY: 'http://p:3128' }, 'http://p:3128'],
    ['https://k.example.com', { https_proxy: 'p:3128' }, 'http://p:3128'],
    ['http://k.example.com', { HTTPS_PROXY: 'http://p:3128' }, undefined],
    ['https://127.0.0.1:6443', { HTTPS_PROXY: 'http://p:3128' }, undefined],
    ['https://localhost:6443', { HTTPS_PROXY: 'http://p:3128' }, undefined],
    ['https://k.example.com', { HTTPS_PROXY: 'p', NO_PROXY: 'example.com' }, undefined],
    ['https://k.example.com', { HTTPS_PROXY: 'p', NO_PROXY: '.example.com' }, undefined],
    ['https://example.com', { HTTPS_PROXY: 'p', NO_PROXY: '.example.com' }, 'http://p'],
    ['https://kexample.com', { HTTPS_PROXY: 'p', NO_PROXY: 'example.com' }, 'http://p'],
    ['https://k.example.com:6443', { HTTPS_PROXY: 'p', NO_PROXY: 'example.com:443' }, 'http://p'],
    ['https://k.example.com', { HTTPS_PROXY: 'p', NO_PROXY: 'example.com:443' }, undefined],
    ['https://10.1.2.3', { HTTPS_PROXY: 'p', NO_PROXY: 'other, 10.0.0.0/8' }, undefined],
    ['https://[fd00::1]:6443', { HTTPS_PROXY: 'p', NO_PROXY: 'fd00::1' }, undefined],
    ['https://k.example.com', { HTTPS_PROXY: 'p', NO_PROXY: '*' }, undefined],
  ])('for %s with %j is %j', (url, env, expected) => expect(proxyFor(url, env)).toBe(expected));

  it('is how the API server is reached', async () => {
    const away = await desk.kubeconfig('away', configOf('http://kubernetes.example.com'));
    const env = { KUBECONFIG: away, HTTP_PROXY: 'http://127.0.0.1:1' };
    const { code, err } = await desk.typed(['status', 'studio'], { env });
    expect(err).toContain('ECONNREFUSED 127.0.0.1:1');
    expect(code).toBe(1);
  });
});
