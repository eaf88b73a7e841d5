/** Bundles one process into `dist/` of its workspace, so that it starts without any `node_modules`. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { z } from 'zod';
import { bake } from './bake.ts';
import { licenceNotices } from './licences.ts';
import { type BundledPackages, bundledPackages } from './packages.ts';
import type { Process } from './processes.ts';

/** CommonJS packages inside an ES module still ask for these three. */
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('\n');

const versionSchema = z.object({ version: z.string(), license: z.string() });

export interface Bundle {
  readonly process: Process;
  /** The finished folder. */
  readonly folder: string;
  /** Of `main.js`. */
  readonly bytes: number;
  /** What of others is in it. */
  readonly contents: BundledPackages;
}

/**
 * @param folder emptied and filled; `dist` in the process's workspace without it
 * @throws esbuild's BuildFailure when a source does not compile
 */
export async function bundle(
  process: Process,
  root: string,
  folder: string = join(root, process.folder, 'dist'),
): Promise<Bundle> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: Object.entries(process.entryPoints).map(([out, path]) => ({ out, in: join(process.folder, path) })),
    outdir: folder,
    bundle: true,
    splitting: process.splitting ?? false,
    chunkNames: '[name]-[hash]',
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    plugins: [bake],
    banner: { js: BANNER },
    legalComments: 'external',
    // Stack traces in logs keep the names of the source.
    keepNames: false,
    // Node keeps the text in memory, and one dash in a comment doubles it; a line is still short enough to find a place in.
    minifyWhitespace: true,
    lineLimit: 160,
    logLevel: 'silent',
  });
  const { version, license } = versionSchema.parse(
    JSON.parse(await readFile(join(root, process.folder, 'package.json'), 'utf8')),
  );
  const contents = await bundledPackages(root, result.metafile);
  const scripts = result.outputFiles.filter((file) => file.path.endsWith('.js'));
  const legal = result.outputFiles.filter((file) => file.path.endsWith('.LEGAL.txt'));

  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await Promise.all([
    ...scripts.map((file) => writeFile(file.path, file.contents)),
    // Says that the scripts are ES modules.
    writeFile(
      join(folder, 'package.json'),
      `${JSON.stringify({
        ...{ name: `kling-${process.name}`, version, license, type: 'module' },
        // For npx.
        ...('cli' in process.entryPoints ? { bin: { [`kling-${process.name}`]: 'cli.js' } } : {}),
      })}\n`,
    ),
    licenceNotices(
      root,
      contents.packages,
      legal.map((file) => file.text),
    ).then((text) => writeFile(join(folder, 'LICENSES'), text)),
  ]);
  const bytes = scripts.find((file) => basename(file.path) === 'main.js')?.contents.byteLength ?? 0;
  return { process, folder, bytes, contents };
}
