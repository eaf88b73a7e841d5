/** Bundles one process into `dist/` of its workspace, so that it starts without any `node_modules`. */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { z } from 'zod';
import { licenceNotices } from './licences.ts';
import type { Process } from './processes.ts';

/** CommonJS packages inside an ES module still ask for these three. */
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('\n');

const SWAGGER_UI = 'node_modules/@fastify/swagger-ui';

/**
 * The documentation page reads its files from its own package; in a bundle they
 * lie in `static/` beside it.
 */
const swaggerUiBesideTheBundle: Plugin = {
  name: 'swagger-ui beside the bundle',
  setup(build) {
    build.onLoad({ filter: /@fastify[\\/]swagger-ui[\\/]lib[\\/]routes\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const contents = source.replace("path.join(__dirname, '..', 'static')", "path.join(__dirname, 'static')");
      if (contents === source) return { errors: [{ text: 'the line that names its static folder has changed' }] };
      return { contents, loader: 'js' };
    });
  },
};

const versionSchema = z.object({ version: z.string(), license: z.string() });

export interface Bundle {
  readonly process: Process;
  /** The finished folder. */
  readonly folder: string;
  /** Of `main.js`. */
  readonly bytes: number;
}

/** @throws esbuild's BuildFailure when a source does not compile */
export async function bundle(process: Process, root: string): Promise<Bundle> {
  const folder = join(root, process.folder, 'dist');
  const result = await build({
    absWorkingDir: root,
    entryPoints: Object.entries(process.entryPoints).map(([out, path]) => ({ out, in: join(process.folder, path) })),
    outdir: folder,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    banner: { js: BANNER },
    legalComments: 'external',
    // Stack traces in logs keep the names of the source.
    keepNames: false,
    minify: false,
    logLevel: 'silent',
    plugins: [swaggerUiBesideTheBundle],
  });
  const { version, license } = versionSchema.parse(
    JSON.parse(await readFile(join(root, process.folder, 'package.json'), 'utf8')),
  );
  const inputs = Object.keys(result.metafile.inputs);
  const scripts = result.outputFiles.filter((file) => file.path.endsWith('.js'));
  const legal = result.outputFiles.filter((file) => file.path.endsWith('.LEGAL.txt'));

  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await Promise.all([
    ...scripts.map((file) => writeFile(file.path, file.contents)),
    // Says that the scripts are ES modules.
    writeFile(
      join(folder, 'package.json'),
      `${JSON.stringify({ name: `kling-${process.name}`, version, license, type: 'module' })}\n`,
    ),
    licenceNotices(
      root,
      inputs,
      legal.map((file) => file.text),
    ).then((text) => writeFile(join(folder, 'LICENSES'), text)),
    inputs.some((input) => input.startsWith(SWAGGER_UI)) ? copySwaggerUi(root, folder) : undefined,
  ]);
  const bytes = scripts.find((file) => basename(file.path) === 'main.js')?.contents.byteLength ?? 0;
  return { process, folder, bytes };
}

/** All but the copy of the script that the page does not load. */
async function copySwaggerUi(root: string, folder: string): Promise<void> {
  await cp(join(root, SWAGGER_UI, 'static'), join(folder, 'static'), {
    recursive: true,
    filter: (source) => basename(source) !== 'swagger-ui.js',
  });
}
