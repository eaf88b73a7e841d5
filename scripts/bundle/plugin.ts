/**
 * Makes `kubectl-kling` in `dist/kubectl-kling`: one file that is copied onto PATH and runs there with the Node of the machine.
 * It has no ending and no package.json beside it then, so it is CommonJS, and made for the oldest Node that its parts run on.
 */
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { z } from 'zod';
import { SCRIPTS } from '../../operator/src/plugin/commands/completion-scripts.ts';
import { licenceNotices } from './licences.ts';
import { bundledPackages } from './packages.ts';

/** Below it undici and the trust of another authority are missing. */
export const OLDEST_NODE = '22.19.0';
const ENTRY = 'operator/src/plugin/main.ts';

/** Says it in words where Node is too old to read the rest. */
const BANNER = [
  '#!/usr/bin/env node',
  `var __node = process.versions.node.split('.').map(Number);`,
  `if (__node[0] < 22 || (__node[0] === 22 && __node[1] < 19)) {`,
  `  console.error('kubectl-kling needs Node ${OLDEST_NODE} or newer, and this is ' + process.version); process.exit(1);`,
  '}',
].join('\n');

const manifestSchema = z.object({ version: z.string(), license: z.string() });

/** @returns bytes of the program */
export async function bundlePlugin(root: string, folder: string = join(root, 'dist/kubectl-kling')): Promise<number> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [{ out: 'kubectl-kling', in: ENTRY }],
    outdir: folder,
    bundle: true,
    write: false,
    metafile: true,
    format: 'cjs',
    platform: 'node',
    target: `node${OLDEST_NODE}`,
    banner: { js: BANNER },
    legalComments: 'external',
    minifyWhitespace: true,
    lineLimit: 160,
    logLevel: 'silent',
  });
  const { version, license } = manifestSchema.parse(
    JSON.parse(await readFile(join(root, 'operator/package.json'), 'utf8')),
  );
  const program = result.outputFiles.find(({ path }) => path.endsWith('.js'));
  if (program === undefined) throw new Error(`${ENTRY} gave no program`);
  const { packages } = await bundledPackages(root, result.metafile);
  const legal = result.outputFiles.filter(({ path }) => path.endsWith('.LEGAL.txt')).map(({ text }) => text);
  const executables = { 'kubectl-kling': program.contents, 'kubectl_complete-kling': SCRIPTS.kubectl };
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await Promise.all([
    ...Object.entries(executables).map(async ([name, contents]) => {
      await writeFile(join(folder, name), contents);
      await chmod(join(folder, name), 0o755);
    }),
    // For npx and npm install -g.
    writeFile(
      join(folder, 'package.json'),
      `${JSON.stringify({
        ...{ name: 'kubectl-kling', version, license, type: 'commonjs', engines: { node: `>=${OLDEST_NODE}` } },
        bin: Object.fromEntries(Object.keys(executables).map((name) => [name, name])),
      })}\n`,
    ),
    licenceNotices(root, packages, legal).then((text) => writeFile(join(folder, 'LICENSES'), text)),
    copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE')),
  ]);
  return program.contents.byteLength;
}
