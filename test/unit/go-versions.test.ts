/** Which Go the tests need is said once for each reader, and is what their modules ask for. */
import { glob, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFile(join(ROOT, path), 'utf8');
const minor = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1]);

it('the READMEs ask for the Go that the newest module needs, and the workflows bring it', async () => {
  const needed: number[] = [];
  const modules = glob('test/**/go.mod', { cwd: ROOT, exclude: ['**/node_modules'] });
  for await (const path of modules) needed.push(minor(await read(path), /^go 1\.(\d+)/m));
  expect(needed.length).toBeGreaterThan(5);
  const newest = Math.max(...needed);
  for (const path of ['README.md', 'README.zh.md']) expect(minor(await read(path), /Go ≥ 1\.(\d+)/), path).toBe(newest);
  const container = minor(await read('.github/container/Dockerfile'), /golang:1\.(\d+)-/);
  expect(container).toBeGreaterThanOrEqual(newest);
});

it('the test cluster asks for what its own module needs', async () => {
  const needed = minor(await read('test/cluster/kube/go.mod'), /^go 1\.(\d+)/m);
  expect(minor(await read('test/cluster/README.md'), /Go 1\.(\d+) or newer/)).toBe(needed);
  expect(minor(await read('test/cluster/preflight.ts'), /Go 1\.(\d+) or newer/)).toBe(needed);
});
