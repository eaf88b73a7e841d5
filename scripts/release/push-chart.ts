/** Puts the chart of `dist/release` into a registry, and writes down all that is to be signed. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tools } from '../../test/cluster/tools.ts';
import { isLocal } from '../images/engine.ts';
import { runCommand } from '../images/run-command.ts';
import { readImages } from './pushed-images.ts';

/** What the workflow signs: one entry a name in the registry. */
export interface Subject {
  /** With its registry. */
  readonly name: string;
  readonly digest: string;
  /** Files of `dist/release` that say what is in it. */
  readonly sboms: readonly string[];
}

export const SUBJECTS = 'subjects.json';

/** @throws Error when there is no chart in the folder, or no image was pushed before */
export async function pushChart(registry: string, folder: string): Promise<readonly Subject[]> {
  const chart = (await readdir(folder).catch(() => [])).find((name) => name.endsWith('.tgz'));
  const images = await readImages(folder);
  if (chart === undefined || images === undefined)
    throw new Error(
      `${folder} lacks the ${chart === undefined ? 'chart: run `files`' : 'images: run `npm run images -- push`'} first`,
    );
  const { helm } = await tools();
  const plain = isLocal(`${registry}/`) ? ['--plain-http'] : [];
  const target = `${registry}/charts`;
  // helm writes the digest to standard error
  const told = await runCommand('sh', [
    '-c',
    '"$0" "$@" 2>&1',
    helm,
    'push',
    ...plain,
    join(folder, chart),
    `oci://${target}`,
  ]);
  const digest = /^Digest: (sha256:[0-9a-f]{64})$/m.exec(told)?.[1];
  if (digest === undefined) throw new Error(`helm told no digest of ${chart}:\n${told}`);
  const subjects = [
    ...images.map(({ name, image, digest: of, arches }) => ({
      ...{ name: image, digest: of, sboms: arches.map((arch) => `${name}-${arch}.cdx.json`) },
    })),
    { name: `${target}/kling-operator`, digest, sboms: [] },
  ];
  // beside the folder: it is no file of the release
  await writeFile(join(folder, '..', SUBJECTS), `${JSON.stringify(subjects)}\n`);
  return subjects;
}
