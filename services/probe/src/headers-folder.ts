import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Headers from a mounted Secret: file name = header, content = value. Read at
 * every handshake (a handful of tiny files), so that a rotated key is used at
 * once and no watcher has to understand how the kubelet swaps volumes.
 */
export async function readHeadersFolder(dir: string): Promise<Record<string, string>> {
  const names = (await readdir(dir)).filter((name) => !name.startsWith('..'));
  const entries = names.map(async (name) => [name, (await readFile(join(dir, name), 'utf8')).trim()] as const);
  return Object.fromEntries(await Promise.all(entries));
}
