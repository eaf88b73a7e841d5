/** The packages of other people inside a bundle, and who imports whom. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { z } from 'zod';

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** As its manifest says it, mostly an SPDX identifier. */
  readonly license: string | undefined;
  readonly description: string | undefined;
  /** Relative to the root of the repository. */
  readonly folder: string;
  /** Folders of the packages that it imports. */
  readonly imports: readonly string[];
}

export interface BundledPackages {
  readonly packages: readonly BundledPackage[];
  /** Folders of the packages that our own sources import. */
  readonly imports: readonly string[];
}

const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  license: z.union([z.string(), z.object({ type: z.string() }).transform(({ type }) => type)]).optional(),
  description: z.string().optional(),
});

const PACKAGE_FOLDER = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;
const folderOf = (path: string): string | undefined => PACKAGE_FOLDER.exec(path)?.[0];

/** @param root what the paths of the metafile are relative to */
export async function bundledPackages(root: string, { inputs }: Pick<Metafile, 'inputs'>): Promise<BundledPackages> {
  const edges = new Map<string | undefined, Set<string>>([[undefined, new Set()]]);
  for (const [path, { imports }] of Object.entries(inputs)) {
    const from = folderOf(path);
    const targets = edges.get(from) ?? new Set();
    edges.set(from, targets);
    for (const { path: imported, external } of imports) {
      const to = external === true ? undefined : folderOf(imported);
      if (to !== undefined && to !== from) targets.add(to);
    }
  }
  const folders = [...edges.keys()].filter((folder) => folder !== undefined).sort();
  const sorted = (folder: string | undefined): string[] => [...(edges.get(folder) ?? [])].sort();
  return {
    imports: sorted(undefined),
    packages: await Promise.all(
      folders.map(async (folder) => {
        const text = await readFile(join(root, folder, 'package.json'), 'utf8');
        const { name, version, license, description } = manifestSchema.parse(JSON.parse(text));
        return { name, version, license, description, folder, imports: sorted(folder) };
      }),
    ),
  };
}
