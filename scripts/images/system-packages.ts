/** Which packages of the system the libraries of an image come from, asked of Debian's package tools. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { answers, runCommand } from './run-command.ts';

/** Hold every library that the Node binary needs, and the loader. */
export const LIBRARY_PACKAGES = ['libc6', 'libgcc-s1', 'libstdc++6'];
/** Its bundle of certificates is made when it is installed, so no list of its files names it. */
export const CERTIFICATES_PACKAGE = 'ca-certificates';

export const packagesSchema = z.array(
  z.object({
    name: z.string(),
    version: z.string(),
    /** The source package, by whose name security notices go. */
    source: z.string(),
    arch: z.string(),
    files: z.array(z.string()),
  }),
);
export type SystemPackage = z.output<typeof packagesSchema>[number];

const FIELDS = `${['Package', 'Version', 'source:Package', 'Architecture'].map((name) => `\${${name}}`).join('\\t')}\\n`;

/** Those of the names that are installed; none where the machine has no dpkg. */
export async function installedPackages(names: readonly string[]): Promise<readonly SystemPackage[]> {
  if (!(await answers('dpkg-query'))) return [];
  const found = await Promise.all(
    names.map(async (name) => {
      const told = await runCommand('dpkg-query', ['--show', `--showformat=${FIELDS}`, name]).catch(() => undefined);
      if (told === undefined) return [];
      const files = (await runCommand('dpkg-query', ['--listfiles', name])).split('\n');
      return parsePackages(told).map((each) => ({ ...each, files }));
    }),
  );
  return found.flat();
}

/** What these `.deb` files are. */
export async function archivedPackages(archives: readonly string[]): Promise<readonly SystemPackage[]> {
  const found = await Promise.all(
    archives.map(async (archive) => {
      const told = await runCommand('dpkg-deb', ['--show', `--showformat=${FIELDS}`, archive]);
      const files = [...(await runCommand('dpkg-deb', ['--contents', archive])).matchAll(/ \.(\/\S+)/g)];
      return parsePackages(told).map((each) => ({ ...each, files: files.map(([, path = '']) => path) }));
    }),
  );
  return found.flat();
}

function parsePackages(told: string): readonly Omit<SystemPackage, 'files'>[] {
  return told
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', version = '', source = '', arch = ''] = line.split('\t');
      return { name, version, source: source === '' ? name : source, arch };
    });
}

/** `/lib` is a link to `/usr/lib` on every Debian of today, and packages name either. */
const withoutUsr = (path: string): string => path.replace(/^\/usr\//, '/');

/** @param path within the system, with no link left in it */
export function ownerOf(path: string, packages: readonly SystemPackage[]): SystemPackage | undefined {
  return packages.find(({ files }) => files.some((file) => withoutUsr(file) === withoutUsr(path)));
}

/** As in `debian-12`. */
export async function distribution(): Promise<string | undefined> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (name: string) => new RegExp(`^${name}="?([^"\\n]+)"?$`, 'm').exec(text)?.[1];
  const [id, version] = [field('ID'), field('VERSION_ID')];
  return id === undefined ? undefined : version === undefined ? id : `${id}-${version}`;
}
