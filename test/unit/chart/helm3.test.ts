/** The oldest Helm that the chart is for makes the same of it as the newest. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { oldestHelm } from '../../cluster/tools.ts';
import { CHART, objectsOf, render, renderWith } from './render.ts';

const helm = await oldestHelm();
const sets = (await readdir(join(CHART, 'ci'))).sort();
const run = promisify(execFile);

describe('Helm 3', () => {
  it('is the version that the README of the chart names', async () => {
    const { stdout } = await run(helm, ['version', '--short']);
    const [, named] = (await readFile(join(CHART, 'README.md'), 'utf8')).match(/Helm (3\.\d+) or newer/) ?? [];
    expect(stdout).toMatch(new RegExp(`^v${named}\\.`));
  });

  it('finds nothing wrong with the chart', async () => {
    await run(helm, ['lint', '--strict', CHART, '--set', 'image.registry=registry.example.com']);
  });

  it.each(sets)('renders the values ci/%s as Helm 4 does', async (set) => {
    const args = ['--values', join(CHART, 'ci', set)];
    expect(objectsOf(await renderWith(helm, ...args))).toEqual(objectsOf(await render(...args)));
  });

  it.each([
    ['fullnameOverride=Ab_c', 'fullnameOverride'],
    ['replica=2', 'replica'],
    ['image.registry=', 'image.registry is not set'],
  ])('refuses %s', async (set, told) => {
    const base = ['--set', 'image.registry=registry.example.com'];
    await expect(renderWith(helm, ...base, '--set', set)).rejects.toThrow(told);
  });
});
