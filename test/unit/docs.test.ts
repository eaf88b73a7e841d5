/** What the documents say exists: their links, their commands, their YAML. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { klingApiSchema } from '@klingapi/operator';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };

const ROOT = resolve(import.meta.dirname, '../..');
const SKIPPED = new Set(['node_modules', '.git', 'dist', 'golden', 'demo-output', '.dev']);

async function files(folder: string, ending: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter((entry) => !SKIPPED.has(entry.name))
      .map((entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return files(path, ending);
        return entry.name.endsWith(ending) ? [path] : [];
      }),
  );
  return found.flat();
}

const documents = await files(ROOT, '.md');
const parsed = (text: string) =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as { kind?: string; metadata?: { name?: string }; spec?: unknown } | null)
    .filter((object) => object?.kind === 'KlingApi');
const asStored = (object: NonNullable<ReturnType<typeof parsed>[number]>) => ({
  ...object,
  metadata: { namespace: 'media', uid: 'u', resourceVersion: '1', ...object.metadata },
});

describe('documents', () => {
  it.each(documents.map((path) => [path.slice(ROOT.length + 1), path]))(
    '%s: links lead somewhere, commands exist',
    async (_, path) => {
      const text = await readFile(path, 'utf8');
      // what looks like a link within code is none
      for (const [, target] of text.replace(/`[^`\n]*`/g, '').matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)) {
        await expect(stat(join(dirname(path), target!)), `link to ${target}`).resolves.toBeDefined();
      }
      for (const [, script] of text.matchAll(/npm run (?:-s )?([a-z][a-z0-9:-]*)/g)) {
        expect(Object.keys(packageJson.scripts), `npm run ${script}`).toContain(script);
      }
    },
  );

  it('their KlingApis are valid', async () => {
    const blocks = await Promise.all(
      documents.map(async (path) =>
        [...(await readFile(path, 'utf8')).matchAll(/```yaml\n([\s\S]*?)```/g)].flatMap(([, yaml]) => parsed(yaml!)),
      ),
    );
    const examples = await Promise.all(
      (await files(join(ROOT, 'docs/examples'), '.yaml')).map(async (path) => parsed(await readFile(path, 'utf8'))),
    );
    const all = [...blocks.flat(), ...examples.flat()];
    expect(all.length).toBeGreaterThanOrEqual(4);
    for (const object of all)
      expect(klingApiSchema.safeParse(asStored(object!)).error, object?.metadata?.name).toBeUndefined();
  });
});
