/** Where a picture goes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const isThere = z.object({ code: z.literal('EEXIST') });

/**
 * Of files that nobody named none is written over: a picture costs money.
 * @param folder of a file that nobody named
 * @returns the name of the file
 */
export async function saved(named: string | undefined, bytes: Buffer, folder = ''): Promise<string> {
  for (let count = 1; ; count += 1) {
    const file = named ?? join(folder, `picture${count === 1 ? '' : `-${count}`}.png`);
    try {
      await writeFile(file, bytes, named === undefined ? { flag: 'wx' } : {});
      return file;
    } catch (error) {
      if (named !== undefined || !isThere.safeParse(error).success) throw error;
    }
  }
}
