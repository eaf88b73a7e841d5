import { createReadStream } from 'node:fs';
import { copyFile, mkdir, open, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathOf, type ResultStore } from './result-store.ts';

/** Copies in a folder: `<folder>/<first two letters of the task>/<task>/<index>`. */
export function createFolderStore(folder: string): ResultStore {
  const place = (key: Parameters<typeof pathOf>[0]) => join(folder, key.taskId.slice(0, 2), pathOf(key));
  return {
    async put(key, file) {
      const path = place(key);
      await mkdir(dirname(path), { recursive: true });
      const unfinished = `${path}.${process.pid}.part`;
      try {
        await copyFile(file.path, unfinished);
        // A copy that is announced must outlast a loss of power.
        const handle = await open(unfinished);
        await handle.sync().finally(() => handle.close());
        await rename(unfinished, path);
      } finally {
        await rm(unfinished, { force: true });
      }
    },
    async get(key, range) {
      const path = place(key);
      const there = await stat(path).catch(() => undefined);
      if (there === undefined) return undefined;
      return createReadStream(path, range === undefined ? {} : { start: range.first, end: range.last });
    },
    async remove(key) {
      const path = place(key);
      await rm(path, { force: true });
      // Goes with the last of its files.
      await rmdir(dirname(path)).catch(() => {});
    },
    close: () => Promise.resolve(),
  };
}
