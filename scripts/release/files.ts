/** Fills `dist/release` with what a release gives away besides its images. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROCESSES } from '../bundle/processes.ts';
import { appFolder, IMAGES, imageName, prepareContext, SBOM_FILE } from '../images/build-images.ts';
import type { Arch } from '../images/elf.ts';
import { oneAtATime } from '../images/one-at-a-time.ts';
import { packageChart } from './chart-package.ts';
import type { Release } from './check.ts';
import { commit } from './commit.ts';
import { packPlugin } from './plugin-archive.ts';
import { IMAGES_FILE, readImages, writeImages } from './pushed-images.ts';

export const CHECKSUMS = 'SHA256SUMS';

export interface FilesOptions {
  readonly root: string;
  readonly folder: string;
  readonly registry: string;
  readonly arches: readonly Arch[];
  readonly release: Release;
  /** Where people will get the files, as a folder on the web: krew has to be told. */
  readonly downloads?: string | undefined;
  readonly tell: (line: string) => void;
}

/** @returns names of the files, in order */
export async function writeReleaseFiles(options: FilesOptions): Promise<readonly string[]> {
  const { root, folder, registry, arches, release, downloads, tell } = options;
  const pushed = (await readImages(folder)) ?? [];
  const stranger = pushed.find(({ name, image }) => image !== `${registry}/${name}`);
  if (stranger !== undefined)
    throw new Error(
      `${stranger.image} was pushed, and the registry is ${registry}: name the same, or push there first`,
    );
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  if (pushed.length > 0) await writeImages(pushed, join(folder, IMAGES_FILE));

  const { created = new Date(0) } = await commit(root);
  await oneAtATime(IMAGES, async () => {
    for (const arch of arches) {
      await prepareContext(PROCESSES, arch, tell, created);
      for (const process of PROCESSES) {
        const [from, name] = [appFolder(process, arch), imageName(process)];
        await copyFile(join(from, SBOM_FILE), join(folder, `${name}-${arch}.cdx.json`));
        await copyFile(join(from, 'LICENSES'), join(folder, `${name}.licences.txt`));
      }
    }
  });
  await packageChart(root, { registry, pushed }, created, folder);
  await packPlugin(root, { version: release.version, created, downloads }, folder);
  await copyFile(join(root, 'crds/klingapi.dev_klingapis.yaml'), join(folder, 'crds.yaml'));
  await writeFile(join(folder, 'NOTES.md'), `${release.section.text}\n`);

  const names = (await readdir(folder)).sort();
  const sums = await Promise.all(
    names.map(async (name) => {
      const sum = createHash('sha256')
        .update(await readFile(join(folder, name)))
        .digest('hex');
      return `${sum}  ${name}\n`;
    }),
  );
  await writeFile(join(folder, CHECKSUMS), sums.join(''));
  return [...names, CHECKSUMS].sort();
}
