/** Fingerprints of inputs, so that nothing is made again that would come out the same. */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Of named texts and of whole files, in the given order. */
export async function digestOf(root: string, files: readonly string[], texts: readonly string[] = []): Promise<string> {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text.length}:${text}\n`);
  for (const file of files) {
    hash.update(`${file}\n`);
    hash.update(await readFile(join(root, file)));
  }
  return hash.digest('hex');
}

/**
 * Every file below a folder, relative to it, in a fixed order.
 *
 * @param skip names of folders that are not entered
 */
export async function filesBelow(folder: string, skip: ReadonlySet<string> = new Set()): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) => {
      if (!entry.isDirectory()) return [entry.name];
      if (skip.has(entry.name)) return [];
      return (await filesBelow(join(folder, entry.name), skip)).map((file) => join(entry.name, file));
    }),
  );
  return found.flat().sort();
}

const MADE = new Set(['node_modules', 'dist']);

/** The sources below these folders and files, without tests and without anything that is made from them. */
export async function sourceFiles(root: string, paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      if (!(await stat(join(root, path))).isDirectory()) return [path];
      return (await filesBelow(join(root, path), MADE)).map((file) => join(path, file));
    }),
  );
  return found.flat().filter((path) => !path.endsWith('.test.ts'));
}
