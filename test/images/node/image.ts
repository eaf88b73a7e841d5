import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findLibraries } from '../../../scripts/images/libraries.ts';
import { writeScratchImage } from '../../cluster/archive.ts';
import { cacheDir } from '../../cluster/settings.ts';

/** Name by which pods call the image that runs `node` and nothing else: tests give it a script as arguments. */
export const nodeImage = 'localhost/kling-test/node:dev';

/**
 * The archive of that image, in the cache folder; made when it is missing.
 * @returns path of a docker-archive, for `loadImage`
 */
export async function nodeImageArchive(): Promise<string> {
  const program = process.execPath;
  const { size, mtimeMs } = await stat(program);
  const own = await readFile(import.meta.filename);
  const hash = createHash('sha256').update(`${program} ${size} ${mtimeMs}`).update(own).digest('hex').slice(0, 16);
  const archive = join(cacheDir, 'test-images', `node-${hash}.tar`);
  if (existsSync(archive)) return archive;
  const { files, missing } = await findLibraries(process.arch === 'arm64' ? 'arm64' : 'amd64', '/', [program]);
  if (missing.length > 0) throw new Error(`The test image lacks ${missing.join(', ')}`);
  await writeScratchImage(
    {
      reference: nodeImage,
      files: { ...Object.fromEntries(files), 'bin/node': program },
      entrypoint: ['/bin/node'],
      user: '65532:65532',
    },
    archive,
  );
  return archive;
}
