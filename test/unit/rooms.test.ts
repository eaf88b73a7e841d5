/** Whoever opens a folder is told what lives in it, as CONTRIBUTING promises, and what is told is there. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../scripts/images/run-command.ts';
import { pageOf, ROOT, readPages } from '../docs/pages.ts';

const FOLDERS = ['operator', 'services', 'charts', 'crds', 'scripts', 'test'];
/** What is made, and compared with what makes it. */
const MADE = /\/(golden|results)$/;
/** Few enough to be told by their names. */
const FEW = 3;

const listed = await runCommand('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...FOLDERS], {
  cwd: ROOT,
});
const files = listed.split('\0').filter((path) => path !== '');
const texts = new Map<string, string>();
for (const path of files)
  if (['README.md', 'index.ts'].includes(basename(path))) texts.set(path, await readFile(join(ROOT, path), 'utf8'));
const byFolder = Map.groupBy(files, dirname);

/** The comment that a file begins with. */
const header = (text: string): string => /^\/\*\*.*?\*\//s.exec(text)?.[0] ?? '';
/** What a folder says of itself and of those below it. */
const told = (folder: string, among: ReadonlyMap<string, string>): string =>
  [
    among.get(`${folder}/README.md`) ?? '',
    ...[`${folder}/index.ts`, `${folder}/src/index.ts`].map((path) => header(among.get(path) ?? '')),
  ].join('\n');

function isTold(folder: string, among: ReadonlyMap<string, string> = texts): boolean {
  if (told(folder, among).trim() !== '') return true;
  const name = new RegExp(`\`([\\w./-]+/)?${basename(folder)}/\``);
  for (let above = dirname(folder); above !== '.'; above = dirname(above))
    if (name.test(told(above, among))) return true;
  return false;
}

describe('every folder says what lives in it', () => {
  const folders = [...byFolder].filter(([folder, own]) => !MADE.test(folder) && own.length > FEW);

  it('by itself, or in the folder above', () => {
    expect(folders.length).toBeGreaterThan(60);
    expect(folders.map(([folder]) => folder).filter((folder) => !isTold(folder))).toEqual([]);
  });

  it('and one that does not is found', () => {
    expect(isTold('operator/src/nowhere')).toBe(false);
    const without = new Map([...texts].filter(([path]) => path !== 'scripts/images/README.md'));
    expect(isTold('scripts/images', without)).toBe(true);
    expect(isTold('scripts/images', new Map([...without].filter(([path]) => path !== 'scripts/README.md')))).toBe(
      false,
    );
  });

  it.each([
    ['operator/README.md', 'operator/src'],
    ['scripts/README.md', 'scripts'],
    ['test/README.md', 'test'],
  ])('%s leads to all of %s', (path, folder) => {
    const rooms = new Set(files.flatMap((file) => new RegExp(`^${folder}/([^/]+)/`).exec(file)?.[1] ?? []));
    expect(rooms.size).toBeGreaterThan(6);
    const text = texts.get(path) ?? '';
    expect([...rooms].filter((room) => !new RegExp(`\`${room}/([\\w./-]+/)?\``).test(text))).toEqual([]);
  });

  it('CONTRIBUTING names the folders that this is held of', async () => {
    const [, section = ''] = (await readFile(join(ROOT, 'CONTRIBUTING.md'), 'utf8')).split('## Where things are\n');
    const paragraph = section.split('\n## ')[0] ?? '';
    expect([...paragraph.matchAll(/`(\w+)\/`/g)].map(([, name]) => name).sort()).toEqual([...FOLDERS].sort());
  });
});

describe('tables of files', async () => {
  const pages = await readPages();
  const told = [...texts].filter(
    ([path, text]) => path.endsWith('README.md') && text.includes('| file | what it answers |'),
  );

  it.each(told)('%s names what is there, and all of it', (path, text) => {
    const folder = dirname(path);
    const named = [...text.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([\w.-]+\.\w+)`/g)].map(([, name = '']) => name),
    );
    const sources = [...(byFolder.get(`${folder}/src`) ?? []), ...(byFolder.get(folder) ?? [])];
    const there = sources.map((each) => basename(each)).filter((name) => /\.(ts|sh)$/.test(name));
    expect(
      named.filter((name) => !there.includes(name)),
      'named, and not there',
    ).toEqual([]);
    // beside what they test; where there is nothing else, they are what the folder is for
    const own = there.filter((name) => folder.startsWith('test/') || !name.endsWith('.test.ts'));
    expect(
      own.filter((name) => !text.includes(`\`${name}\``)),
      'there, and not named',
    ).toEqual([]);
    expect(pageOf(pages, path).headings[0]?.text).toBe(basename(folder));
  });
});
