/** kubectl and helm read YAML 1.1, in which a bare Off, no or 1:30 is no text. What they get means the same in both. */
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

const ROOT = join(import.meta.dirname, '../..');
const paths: string[] = [];
for await (const path of glob(
  ['crds/*.yaml', 'docs/examples/*.yaml', 'charts/*/values.yaml', 'charts/*/files/rules/*.yaml'],
  { cwd: ROOT },
))
  paths.push(path);

const read = (text: string, version: '1.1' | '1.2'): unknown[] =>
  parseAllDocuments(text, { version }).map((document): unknown => document.toJS());

it.each(paths)('%s', async (path) => {
  const text = await readFile(join(ROOT, path), 'utf8');
  expect(read(text, '1.1')).toEqual(read(text, '1.2'));
});

it('what differs is found', () => expect(read('mode: Off', '1.1')).not.toEqual(read('mode: Off', '1.2')));
