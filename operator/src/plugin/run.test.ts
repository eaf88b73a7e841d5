/** A command line as a whole, as far as it needs no cluster. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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

async function typed(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
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
    signal: new AbortController().signal,
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
