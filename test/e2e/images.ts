/** Builds the images of the release and those that only tests use, and loads into the test cluster what it does not have yet. */
import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildImages } from '../../scripts/images/build-images.ts';
import { kubeconfigPath, loadImage } from '../cluster/index.ts';
import { buildTestImages } from '../images/build.ts';

/** What was loaded lies beside the cluster's own state, so it goes when the cluster goes. Other clusters are not ours to write to. */
async function loadedList(): Promise<string | undefined> {
  return process.env['CLUSTER'] === undefined ? join(dirname(await kubeconfigPath()), 'loaded-images.json') : undefined;
}

const fingerprint = async (tar: string): Promise<string> => {
  const { size, mtimeMs } = await stat(tar);
  return `${tar}:${size}:${mtimeMs}`;
};

/**
 * @param tell told of each image that is built or loaded
 * @returns what tells one content of all images from another
 */
export async function prepareImages(tell: (line: string) => void = () => {}): Promise<string> {
  const images = [...(await buildImages({ tell })), ...(await buildTestImages({ tell }))];
  const list = await loadedList();
  const loaded: Record<string, string> =
    list === undefined ? {} : JSON.parse(await readFile(list, 'utf8').catch(() => '{}'));
  const contents: string[] = [];
  for (const { reference, tar } of images) {
    const content = await fingerprint(tar);
    contents.push(content);
    if (loaded[reference] === content) continue;
    await loadImage(tar);
    tell(`${reference} loaded`);
    loaded[reference] = content;
    if (list !== undefined) await writeFile(list, JSON.stringify(loaded));
  }
  return createHash('sha256').update(contents.join()).digest('hex').slice(0, 12);
}

if (import.meta.main) await prepareImages((line) => console.log(line));
