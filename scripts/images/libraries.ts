/** Which shared libraries a set of programs needs, and where under a root they lie. */
import { copyFile, mkdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Arch, readElf } from './elf.ts';

/** Where Debian and most others keep libraries; looked through in this order. */
const FOLDERS: Readonly<Record<Arch, readonly string[]>> = {
  amd64: ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu', 'lib64', 'usr/lib64', 'lib', 'usr/lib'],
  arm64: ['lib/aarch64-linux-gnu', 'usr/lib/aarch64-linux-gnu', 'lib64', 'usr/lib64', 'lib', 'usr/lib'],
};

/** Where the loader of an image finds them without any configuration. */
const TARGET: Readonly<Record<Arch, string>> = {
  amd64: 'lib/x86_64-linux-gnu',
  arm64: 'lib/aarch64-linux-gnu',
};

export interface Libraries {
  /** Path in the image, relative to its root, to the file it is copied from. */
  readonly files: ReadonlyMap<string, string>;
  /** Libraries that lie nowhere under the root, each with who needs it. */
  readonly missing: readonly string[];
}

/**
 * Follows NEEDED entries from the programs through every library.
 *
 * @param root folder that holds a Linux of this architecture (`/` for the host's own)
 * @param provided libraries that come with the programs themselves
 */
export async function findLibraries(
  arch: Arch,
  root: string,
  programs: readonly string[],
  provided: ReadonlySet<string> = new Set(),
): Promise<Libraries> {
  const files = new Map<string, string>();
  const missing: string[] = [];
  const queue = [...programs];
  const seen = new Set<string>(provided);
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    const elf = await readElf(path);
    if (elf === undefined) continue;
    if (elf.machine !== arch) throw new Error(`${path} is for machine ${elf.machine}, not ${arch}`);
    if (elf.interpreter !== undefined && !files.has(elf.interpreter.slice(1))) {
      const loader = await existing(join(root, elf.interpreter));
      if (loader === undefined) missing.push(`${elf.interpreter} (loader of ${path})`);
      else files.set(elf.interpreter.slice(1), loader);
    }
    for (const name of elf.needed) {
      if (seen.has(name)) continue;
      seen.add(name);
      const found = await firstOf(FOLDERS[arch].map((folder) => join(root, folder, name)));
      if (found === undefined) {
        missing.push(`${name} (needed by ${path})`);
        continue;
      }
      files.set(join(TARGET[arch], name), found);
      queue.push(found);
    }
  }
  return { files, missing };
}

/** @throws Error that lists what is missing */
export async function copyLibraries(libraries: Libraries, target: string): Promise<void> {
  if (libraries.missing.length > 0) throw new Error(`not found: ${libraries.missing.join(', ')}`);
  for (const [path, source] of libraries.files) {
    await mkdir(dirname(join(target, path)), { recursive: true });
    await copyFile(source, join(target, path));
  }
}

async function firstOf(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const found = await existing(path);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The file behind any links; a link that points nowhere counts as absent. */
async function existing(path: string): Promise<string | undefined> {
  const found = await realpath(path).catch(() => undefined);
  return found !== undefined && (await stat(found)).isFile() ? found : undefined;
}
