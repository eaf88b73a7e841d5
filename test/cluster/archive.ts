import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from './command.ts';

export type ScratchImage = {
  /** name:tag by which pods call it */
  reference: string;
  /** path in the image → file of this host */
  files: Readonly<Record<string, string>>;
  entrypoint: readonly string[];
  /** numeric, user:group; root without it */
  user?: string;
  env?: readonly string[];
};

/**
 * Writes an image of nothing but the given files, as an archive that
 * `docker load` and `ctr images import` read. No builder is needed for that.
 */
export async function writeScratchImage(image: ScratchImage, archive: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'kling-image-'));
  try {
    const rootfs = join(work, 'rootfs');
    await mkdir(join(rootfs, 'tmp'), { recursive: true });
    await chmod(join(rootfs, 'tmp'), 0o1777);
    for (const [path, from] of Object.entries(image.files)) {
      const to = join(rootfs, path);
      await mkdir(dirname(to), { recursive: true });
      await copyFile(from, to);
      await chmod(to, 0o755);
    }
    await mkdir(join(work, 'image'));
    const layer = join(work, 'image', 'layer.tar');
    const steady = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
    await run('tar', [...steady, '-C', rootfs, '-cf', layer, '.']);
    const config = JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: {
        Entrypoint: image.entrypoint,
        Env: image.env ?? [],
        ...(image.user === undefined ? {} : { User: image.user }),
      },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(await readFile(layer))}`] },
      history: [{ created_by: 'kling-operator test cluster' }],
    });
    const configName = `${sha256(config)}.json`;
    await writeFile(join(work, 'image', configName), config);
    const manifest = [{ Config: configName, RepoTags: [image.reference], Layers: ['layer.tar'] }];
    await writeFile(join(work, 'image', 'manifest.json'), JSON.stringify(manifest));
    await mkdir(dirname(archive), { recursive: true });
    const unfinished = `${archive}.${process.pid}`;
    await run('tar', [
      ...steady,
      '-C',
      join(work, 'image'),
      '-cf',
      unfinished,
      'manifest.json',
      configName,
      'layer.tar',
    ]);
    await rename(unfinished, archive);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
