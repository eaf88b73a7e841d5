import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '../..');
const names = z.record(z.string(), z.string()).default({});
const manifestSchema = z.object({ dependencies: names, devDependencies: names, optionalDependencies: names });

it('docs/dependencies.md tells of every package and of no other', async () => {
  const declared = new Set<string>();
  for await (const path of glob(
    ['package.json', 'operator/package.json', 'services/*/package.json', 'test/package.json'],
    {
      cwd: ROOT,
    },
  )) {
    const manifest = manifestSchema.parse(JSON.parse(await readFile(join(ROOT, path), 'utf8')));
    for (const group of Object.values(manifest)) {
      for (const name of Object.keys(group)) if (!name.startsWith('@klingapi/')) declared.add(name);
    }
  }
  const page = await readFile(join(ROOT, 'docs/dependencies.md'), 'utf8');
  // First cells of tables, and the paragraph on Node.
  const cells = [...page.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)]);
  const node = [...page.matchAll(/`(node-[a-z0-9-]+)`/g)];
  expect([...new Set([...cells, ...node].map(([, name]) => name))].sort()).toEqual([...declared].sort());
});
