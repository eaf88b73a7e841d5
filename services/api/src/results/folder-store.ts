import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathOf, type ResultStore, ResultStoreFullError } from './result-store.ts';

/** Left for the tasks, which are on the same disk as a rule. */
const KEPT_FREE_BYTES = 64 * 1024 * 1024;

/** Copies in a folder: `<folder>/<first two letters of the task>/<task>/<index>`. */
export function createFolderStore(folder: string): ResultStore {
  const place = (key: Parameters<typeof pathOf>[0]) => join(folder, key.taskId.slice(0, 2), pathOf(key));

  const store = async (path: string, fill: (unfinished: string) => Promise<void>): Promise<void> => {
    const unfinished = `${path}.${process.pid}.part`;
    try {
      await fill(unfinished);
      // A copy that is announced must outlast a loss of power.
      const handle = await open(unfinished);
      await handle.sync().finally(() => handle.close());
      await rename(unfinished, path);
    } finally {
      await rm(unfinished, { force: true });
    }
  };

  return {
    async put(key, file) {
      const path = place(key);
      await mkdir(dirname(path), { recursive: true });
      await store(path, (unfinished) => copyFile(file.path, unfinished));
    },
    async write(key, { content, bytes }, signal) {
      const path = place(key);
      await mkdir(dirname(path), { recursive: true });
      try {
        const { bavail, bsize } = await statfs(dirname(path));
        if (bavail * bsize < bytes + KEPT_FREE_BYTES) throw new ResultStoreFullError('the disk is full');
        await store(path, (unfinished) => pipeline(content, createWriteStream(unfinished), { signal }));
      } catch (error) {
        // Without a file in it the folder says nothing.
        await rmdir(dirname(path)).catch(() => {});
        if (isFull(error)) throw new ResultStoreFullError('the disk is full', { cause: error });
        throw error;
      }
    },
    async get(key, range, signal) {
      const path = place(key);
      const there = await stat(path).catch(() => undefined);
      if (there === undefined) return undefined;
      const stream = createReadStream(path, range === undefined ? {} : { start: range.first, end: range.last });
      // Without an error of its own: that a client goes away is nothing to be logged.
      const end = () => stream.destroy();
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
      return stream.once('close', () => signal.removeEventListener('abort', end));
    },
    async remove(key) {
      const path = place(key);
      await rm(path, { force: true });
      // What a process left that was killed while it wrote.
      const unfinished = `${basename(path)}.`;
      for (const name of await readdir(dirname(path)).catch(() => [])) {
        if (name.startsWith(unfinished) && name.endsWith('.part')) await rm(join(dirname(path), name), { force: true });
      }
      // Goes with the last of its files.
      await rmdir(dirname(path)).catch(() => {});
    },
    close: () => Promise.resolve(),
  };
}

/** Whether the disk, or what we may have of it, is used up. */
function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
