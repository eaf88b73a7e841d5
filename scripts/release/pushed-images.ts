/** Which images were pushed, by digest: what the manifests and the chart of a release name, and what is signed. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';

export const RELEASE = join(import.meta.dirname, '../../dist/release');
export const IMAGES_FILE = 'images.json';

const imagesSchema = z.array(
  z.object({
    /** As in `kling-mcp`. */
    name: z.string(),
    /** With its registry, without a tag. */
    image: z.string(),
    digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    arches: z.array(z.enum(['amd64', 'arm64'])).readonly(),
  }),
);
export type PushedImage = z.output<typeof imagesSchema>[number];

/** @param file beside the other files of a release, mostly */
export async function writeImages(images: readonly PushedImage[], file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(images, null, 2)}\n`);
}

/** Undefined when nothing was pushed. */
export async function readImages(folder: string): Promise<readonly PushedImage[] | undefined> {
  const text = await readFile(join(folder, IMAGES_FILE), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : imagesSchema.parse(JSON.parse(text));
}
