/** Which images were pushed, by digest: what the manifests and the chart of a release name, and what is signed. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

export const RELEASE = join(import.meta.dirname, '../../dist/release');
const FILE = 'images.json';

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

export async function writeImages(images: readonly PushedImage[], folder: string = RELEASE): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, FILE), `${JSON.stringify(images, null, 2)}\n`);
}

/** Undefined when nothing was pushed. */
export async function readImages(folder: string = RELEASE): Promise<readonly PushedImage[] | undefined> {
  const text = await readFile(join(folder, FILE), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : imagesSchema.parse(JSON.parse(text));
}
