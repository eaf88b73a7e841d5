import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import packageJson from '../../package.json' with { type: 'json' };
import { krewInstall } from '../../test/krew/krew.ts';
import { archiveName, KREW_MANIFEST, packPlugin } from './plugin-archive.ts';

const ROOT = join(import.meta.dirname, '../..');
const { version } = packageJson;
const run = promisify(execFile);
const created = new Date('2026-11-01T12:34:56Z');

let work = '';
let archive = '';
let manifest = '';
/** Stands in for the page of the release. */
const server = createServer((request, response) => {
  readFile(join(work, 'made', basename(request.url ?? ''))).then(
    (content) => response.end(content),
    () => response.writeHead(404).end(),
  );
});
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'plugin-archive-'));
  await mkdir(join(work, 'made'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  const downloads = `http://127.0.0.1:${port}/releases/download/v${version}`;
  await packPlugin(ROOT, { version, created, downloads }, join(work, 'made'));
  archive = join(work, 'made', archiveName(version));
  manifest = join(work, 'made', KREW_MANIFEST);
}, 120_000);
afterAll(async () => {
  server.close();
  await rm(work, { recursive: true, force: true });
});

it('is the same bytes again, with the time of the commit and rights for everybody', { timeout: 120_000 }, async () => {
  const again = join(work, 'again');
  await mkdir(again);
  const umask = process.umask(0o077);
  try {
    await packPlugin(ROOT, { version, created }, again);
  } finally {
    process.umask(umask);
  }
  // without an address there is nothing for krew
  expect(await readdir(again)).toEqual([archiveName(version)]);
  expect((await readFile(join(again, archiveName(version)))).equals(await readFile(archive))).toBe(true);
  const { stdout } = await run('tar', ['-tvzf', archive, '--utc', '--full-time'], {
    env: { ...process.env, TZ: 'UTC' },
  });
  const lines = stdout.trim().split('\n');
  expect(lines.map((line) => line.split(/\s+/).at(-1))).toEqual([
    'kubectl-kling/',
    'kubectl-kling/LICENSE',
    'kubectl-kling/LICENSES',
    'kubectl-kling/kubectl-kling',
    'kubectl-kling/kubectl_complete-kling',
    'kubectl-kling/package.json',
  ]);
  for (const line of lines) expect(line).toMatch(/^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--) 0\/0 +\d+ 2026-11-01 12:34:56 /);
});

it('is what krew installs, and what runs then', { timeout: 600_000 }, async () => {
  const home = join(work, 'krew');
  await krewInstall(manifest, home);
  const { stdout } = await run(join(home, 'bin/kubectl-kling'), ['--help'], { cwd: work });
  expect(stdout).toContain('Usage: kubectl kling COMMAND');
  for (const name of ['LICENSE', 'LICENSES', 'kubectl_complete-kling'])
    await stat(join(home, 'store/kling', `v${version}`, name));
});

it('another archive than the one that was released is refused by krew', { timeout: 600_000 }, async () => {
  const text = await readFile(manifest, 'utf8');
  const sum = z.object({ spec: z.object({ platforms: z.array(z.object({ sha256: z.string() })) }) }).parse(parse(text))
    .spec.platforms[0]!.sha256;
  const forged = join(work, KREW_MANIFEST);
  await writeFile(forged, text.replace(sum, 'a'.repeat(64)));
  await expect(krewInstall(forged, join(work, 'krew-forged'))).rejects.toThrow('checksum does not match');
});

it('is a package for npm', { timeout: 120_000 }, async () => {
  const prefix = join(work, 'prefix');
  await cp(archive, join(work, basename(archive)));
  const options = ['--offline', '--no-audit', '--no-fund', '--prefix', prefix];
  await run('npm', ['install', '--global', ...options, join(work, basename(archive))], { cwd: work });
  const { stdout } = await run(join(prefix, 'bin/kubectl-kling'), ['completion', 'bash'], { cwd: work });
  expect(stdout).toContain('complete -F _kubectl_kling');
});
