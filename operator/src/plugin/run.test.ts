/** A command line as a whole, as far as it needs no cluster. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Around } from './command.ts';
import { run } from './run.ts';
import { PLAIN } from './terminal/paint.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubectl-kling-'));
});
afterAll(() => rm(folder, { recursive: true }));

type Said = Promise<{ code: number; out: string; err: string }>;

const typed = (...argv: string[]): Said => typedUntil(new AbortController().signal, ...argv);

async function typedUntil(signal: AbortSignal, ...argv: string[]): Said {
  const said = { out: '', err: '' };
  const around: Around = {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    env: {},
    now: () => 0,
    signal,
    pause: async () => {},
    paint: PLAIN,
    progressPaint: PLAIN,
    columns: 100,
  };
  return { code: await run(argv, around), ...said };
}

const kubeconfig = async (server: string): Promise<string> => {
  const file = join(folder, 'config');
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'home' },
    clusters: [{ name: 'home', cluster: { server } }],
    users: [{ name: 'me', user: { token: 'hidden-token' } }],
    contexts: [{ name: 'home', context: { cluster: 'home', user: 'me', namespace: 'media' } }],
  };
  await writeFile(file, JSON.stringify(config));
  return file;
};

describe('kubectl kling', () => {
  it.each([[[]], [['--help']], [['help']]])('tells what there is: %j', async (argv) => {
    const { code, out } = await typed(...argv);
    expect(out).toContain('Usage: kubectl kling COMMAND');
    expect(code).toBe(0);
  });

  it.each([
    [['nonsense'], 'there is no command "nonsense"'],
    [['stauts'], 'did you mean status?'],
    [['status', '--nonsense'], "Unknown option '--nonsense'"],
    [['status', 'a', 'b'], '"b" is one argument too many: kubectl kling status [NAME]'],
    [['status', '-o', 'xml'], '--output "xml" is not known: it is one of json, yaml'],
    [['verify', '--timeout', 'soon'], '--timeout "soon" is no time: write it as 30s, 5m or 1h'],
    [['logs', '--tail', 'many'], '--tail "many" is no number'],
    [['completion', 'tcsh'], 'completion takes a shell: one of bash, zsh, fish, powershell, kubectl'],
    [['picture', 'studio'], 'picture takes the name of a KlingApi and what to draw'],
  ])('answers %j with 2 and the way out', async (argv, words) => {
    const file = await kubeconfig('https://127.0.0.1:1');
    const { code, err, out } = await typed(...argv, '--kubeconfig', file);
    expect(err).toContain(words);
    expect(out).toBe('');
    expect(code).toBe(2);
  });

  it('finds the command behind flags', async () => {
    expect((await typed('-n', 'media', 'status', '--help')).out).toContain('kubectl kling status [NAME]');
  });

  it('ends with 130 after Ctrl-C, as shells count it', async () => {
    expect((await typedUntil(AbortSignal.abort(), 'completion', 'bash')).code).toBe(130);
  });

  it('says which API server does not answer, and never with what credentials', async () => {
    const { code, err } = await typed('status', '--kubeconfig', await kubeconfig('https://127.0.0.1:1'));
    expect(err).toMatch(/^error: the API server at https:\/\/127\.0\.0\.1:1 does not answer .*--context\)\n$/s);
    expect(err).not.toContain('hidden-token');
    expect(code).toBe(1);
  });

  it('says what the kubeconfig lacks', async () => {
    const { code, err } = await typed(
      'status',
      '--context',
      'work',
      '--kubeconfig',
      await kubeconfig('https://127.0.0.1:1'),
    );
    expect(err).toBe('error: the kubeconfig has no context "work"; it has home\n');
    expect(code).toBe(1);
    expect((await typed('status', '--kubeconfig', join(folder, 'none'))).err).toContain(
      'the kubeconfig cannot be read',
    );
  });

  it('says which variable holds no key', async () => {
    const { code, err } = await typed(
      'usage',
      '--key-env',
      'NOBODY',
      '--kubeconfig',
      await kubeconfig('https://127.0.0.1:1'),
    );
    expect(err).toBe('error: --key-env: the variable NOBODY is not set\n');
    expect(code).toBe(1);
  });

  it('says at the doctor that the cluster is out of reach', async () => {
    const { code, out } = await typed('doctor', 'studio', '--kubeconfig', await kubeconfig('https://127.0.0.1:1'));
    expect(out).toContain('It breaks at the Cluster: ApiServerUnreachable');
    expect(code).toBe(1);
  });
});

describe('kubectl kling probe', () => {
  it('is the command of the probe: its words, its flags and its exit codes, and no cluster', async () => {
    const server = createServer((_request, reply) => void reply.writeHead(401).end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { code, out, err } = await typed('probe', `http://127.0.0.1:${port}/mcp/v1`, '--eras', 'Legacy', '--json');
    server.close();
    expect([code, err, JSON.parse(out).verdict]).toEqual([3, '', 'AuthRequired']);
  });

  it('tells what it saw last after Ctrl-C', async () => {
    expect((await typedUntil(AbortSignal.abort(), 'probe', 'http://127.0.0.1:1/', '--watch')).code).toBe(4);
    expect((await typedUntil(AbortSignal.abort(), 'probe', '--help')).code).toBe(0);
  });

  it.each([
    [['probe'], 'one URL is needed'],
    [['probe', 'http://127.0.0.1:1', '--auth', 'env:NOT_THERE'], 'the variable NOT_THERE is not set'],
    [['probe', 'http://127.0.0.1:1', '-n', 'media'], "Unknown option '-n'"],
  ])('answers %j with its own code for wrong usage', async (argv, words) => {
    const { code, out, err } = await typed(...argv);
    expect(err).toContain(words);
    expect(err).toContain('kubectl kling probe URL [options]');
    expect([code, out]).toEqual([64, '']);
  });

  it.each([[['probe', '--help']], [['help', 'probe']]])('tells how it is typed: %j', async (argv) => {
    const { code, out } = await typed(...argv);
    expect(out).toMatch(/^kubectl kling probe URL \[options\]\n/);
    expect(code).toBe(0);
  });
});
