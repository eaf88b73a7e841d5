import { pathToFileURL } from 'node:url';
import type { Plugin } from 'esbuild';
import { z } from 'zod';

const bakedModule = z.object({ default: z.function() });

/**
 * A module that is named `….baked.ts` makes something from sources that an image
 * does not hold. Its default export is called when the bundle is made, and the
 * module becomes what that gave, which has to be JSON.
 */
export const bake: Plugin = {
  name: 'bake',
  setup(build) {
    build.onLoad({ filter: /\.baked\.ts$/ }, async ({ path }) => {
      const { default: make } = bakedModule.parse(await import(pathToFileURL(path).href));
      const made: unknown = await make();
      return { loader: 'js', contents: `const made = ${JSON.stringify(made)};\nexport default async () => made;\n` };
    });
  },
};
