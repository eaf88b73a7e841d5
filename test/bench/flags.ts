import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const DOCKERFILE = join(import.meta.dirname, '../../Dockerfile');

/** Of Node, as the images start it. */
export const FLAGS = z
  .tuple([z.string()], z.string())
  .parse(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(readFileSync(DOCKERFILE, 'utf8'))?.[1] ?? ''))
  .filter((word) => word.startsWith('--'))
  // As in a container of 512 MiB, which is what the operator gives.
  .map((flag) => flag.replace('--max-old-space-size-percentage=70', '--max-old-space-size=358'));
