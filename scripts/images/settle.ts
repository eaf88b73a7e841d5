import { chmod, lstat, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';

/** Where in an image everybody may write. */
const OPEN = new Set(['tmp']);

/**
 * Gives files the rights and times that they have in an image, whatever the
 * machine's umask is and whenever they were written: the same content is the
 * same layer then, and the image's user can read it.
 *
 * @param open folders in the top one that everybody may write to
 */
export async function settle(folder: string, open: ReadonlySet<string> = OPEN): Promise<void> {
  for (const entry of await readdir(folder)) {
    const path = join(folder, entry);
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) continue;
    if (stats.isDirectory()) await settle(path, new Set());
    const executable = stats.isDirectory() || (stats.mode & 0o100) !== 0;
    await chmod(path, open.has(entry) ? 0o1777 : executable ? 0o755 : 0o644);
    await utimes(path, 0, 0);
  }
  await chmod(folder, 0o755);
  await utimes(folder, 0, 0);
}
