import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundlePlugin } from './plugin.ts';

const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);
let away = '';

/** Far from any `node_modules`. */
beforeAll(async () => {
  away = await mkdtemp(join(tmpdir(), 'plugin-bundle-'));
  await bundlePlugin(ROOT, join(away, 'made'));
}, 120_000);
afterAll(() => rm(away, { recursive: true, force: true }));

describe('kubectl-kling', () => {
  it('is one file that runs wherever it is copied to', async () => {
    const folder = join(away, 'bin');
    await mkdir(folder);
    const program = join(folder, 'kubectl-kling');
    await copyFile(join(away, 'made/kubectl-kling'), program);
    expect((await stat(program)).mode & 0o111).toBe(0o111);
    const told = await run(program, ['--help'], { cwd: folder });
    expect(told.stdout).toContain('Usage: kubectl kling COMMAND');
    expect(told.stderr).toBe('');
  });

  it('starts with a line for the shell, and tells an old Node that it is one', async () => {
    const [first, ...lines] = (await readFile(join(away, 'made/kubectl-kling'), 'utf8')).split('\n').slice(0, 5);
    expect(first).toBe('#!/usr/bin/env node');
    // run as an old Node would: only what it says of itself is another
    const old = `Object.defineProperty(process.versions, 'node', { value: '20.19.0' });\n${lines.join('\n')}`;
    const failure: unknown = await run(process.execPath, ['-e', old]).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 1, stderr: expect.stringContaining('needs Node 22.19.0 or newer') });
  });

  it('is a package for npx, with the licences of what is in it', { timeout: 90_000 }, async () => {
    const npm = ['exec', '--yes', '--offline', '--no-audit', '--no-fund', `--package=${join(away, 'made')}`];
    const told = await run('npm', [...npm, '--', 'kubectl-kling', 'completion', 'bash'], { cwd: away });
    expect(told.stdout).toContain('complete -F _kubectl_kling');
    const licences = await readFile(join(away, 'made/LICENSES'), 'utf8');
    for (const name of ['@kubernetes/client-node', '@modelcontextprotocol/client', 'undici'])
      expect(licences).toContain(`${name} `);
  });
});
