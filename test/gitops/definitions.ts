/** Judges objects for Argo CD and Flux by the CustomResourceDefinitions of these projects, as their API server would. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { runCommand } from '../../scripts/images/run-command.ts';
import { ask } from './program.ts';

interface Source {
  readonly module: string;
  readonly version: string;
  /** What Go says of its content. */
  readonly sum: string;
  readonly files: readonly string[];
}

const FLUX = 'config/crd/bases';
/**
 * In no go.mod, because only files of them are read, and their dependencies would come along. Versions that Go 1.26 takes.
 */
const SOURCES: readonly Source[] = [
  {
    module: 'github.com/argoproj/argo-cd/v3',
    version: 'v3.5.7',
    sum: 'h1:Xm1BF+I5OgDKUG3SDK49vn2/Y5AMyaNVko+/JT08gj0=',
    files: ['application', 'applicationset', 'appproject'].map((name) => `manifests/crds/${name}-crd.yaml`),
  },
  {
    module: 'github.com/fluxcd/source-controller',
    version: 'v1.9.6',
    sum: 'h1:nG534/bI6nVpyHra7ONAk6xDB3xPsVT+EOLHZHXPrrc=',
    files: ['gitrepositories', 'helmrepositories', 'ocirepositories'].map(
      (name) => `${FLUX}/source.toolkit.fluxcd.io_${name}.yaml`,
    ),
  },
  {
    module: 'github.com/fluxcd/kustomize-controller',
    version: 'v1.9.6',
    sum: 'h1:XB+G3A0mky0j5uVHZWv4oSlS2RvZBoNIUhstIvY0JKE=',
    files: [`${FLUX}/kustomize.toolkit.fluxcd.io_kustomizations.yaml`],
  },
  {
    module: 'github.com/fluxcd/helm-controller',
    version: 'v1.6.0',
    sum: 'h1:jlS5X11SG26gspubB5aLrdVSCm0q0tA4ULsY+vwSkL0=',
    files: [`${FLUX}/helm.toolkit.fluxcd.io_helmreleases.yaml`],
  },
];

/** Whether a kind is of these projects, known or not. */
export const isTheirs = (apiVersion: string): boolean => /^(argoproj\.io|[\w.]+\.fluxcd\.io)\//.test(apiVersion);

/** @returns for each object what is wrong with it; an unknown field is */
export async function problemsByDefinition(objects: readonly object[]): Promise<string[][]> {
  const files = await Promise.all(SOURCES.map(filesOf));
  return z.array(z.array(z.string())).parse(await ask('definitions', 'definitions', files.flat(), objects));
}

/** @throws Error where the content is not the one that was looked at */
async function filesOf({ module, version, sum, files }: Source): Promise<string[]> {
  const name = `${module}@${version}`;
  // outside of every module, or Go would write into its go.sum
  const said = await runCommand('go', ['mod', 'download', '-json', name], { cwd: tmpdir() });
  const { Dir, Sum } = z.object({ Dir: z.string(), Sum: z.string() }).parse(JSON.parse(said));
  if (Sum !== sum) throw new Error(`${name} has the sum ${Sum}, and ${sum} was looked at: compare, then write it here`);
  return files.map((file) => join(Dir, file));
}
