/**
 * Node and a Linux root for an architecture that is not this machine's: the
 * locked npm package and Debian's library packages, unpacked, never installed.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { cacheFolder } from './cache-folder.ts';
import type { Arch } from './elf.ts';
import { answers, runCommand } from './run-command.ts';
import { archivedPackages, LIBRARY_PACKAGES, packagesSchema, type SystemPackage } from './system-packages.ts';

const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ version: z.string().optional(), integrity: z.string().optional() })),
});

export interface Runtime {
  readonly node: string;
  /** Folder under which the libraries lie. */
  readonly root: string;
  readonly version: string;
  /** Where the libraries come from, as far as it is known. */
  readonly packages: readonly SystemPackage[];
}

/** Unpacked once for a Node version and kept in the cache folder. */
export async function foreignRuntime(repository: string, arch: Arch): Promise<Runtime> {
  const name = `node-linux-${arch === 'amd64' ? 'x64' : arch}`;
  const lock = lockSchema.parse(JSON.parse(await readFile(join(repository, 'package-lock.json'), 'utf8')));
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity === undefined) throw new Error(`package-lock.json does not hold ${name}`);
  const folder = cacheFolder('runtime', `${name}-${version}`);
  const complete = join(folder, 'packages.json');
  const runtime = async (): Promise<Runtime> => ({
    ...{ node: join(folder, 'package/bin/node'), root: join(folder, 'root'), version },
    packages: packagesSchema.parse(JSON.parse(await readFile(complete, 'utf8'))),
  });
  if (existsSync(complete)) return runtime();

  await needDebian(arch);
  await mkdir(cacheFolder('runtime'), { recursive: true });
  const work = await mkdtemp(`${folder}.`);
  try {
    await unpackNode(work, `${name}@${version}`, integrity);
    const packages = await unpackDebian(work, arch);
    await writeFile(join(work, 'packages.json'), JSON.stringify(packages));
    await rm(folder, { recursive: true, force: true });
    await rename(work, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return runtime();
}

/** @throws Error where the libraries of another architecture cannot be had */
export async function needDebian(arch: Arch): Promise<void> {
  if ((await answers('apt-get')) && (await answers('dpkg-deb'))) return;
  const own = arch === 'amd64' ? 'arm64' : 'amd64';
  throw new Error(
    `the libraries for ${arch} are unpacked from Debian packages, and apt-get or dpkg-deb is not here: build on Debian or Ubuntu, or for this machine alone with --arch ${own}`,
  );
}

/** npm checks what it installs against the lockfile; this package is not for this machine, so it is done here. */
async function unpackNode(work: string, spec: string, integrity: string): Promise<void> {
  await runCommand('npm', ['pack', '--silent', spec, '--pack-destination', work]);
  const archive = (await readdir(work)).find((file) => file.endsWith('.tgz'));
  if (archive === undefined) throw new Error(`npm pack ${spec} wrote no archive`);
  const path = join(work, archive);
  const digest = `sha512-${createHash('sha512')
    .update(await readFile(path))
    .digest('base64')}`;
  if (digest !== integrity) throw new Error(`${spec} is not what package-lock.json says: ${digest}`);
  await runCommand('tar', ['-xzf', path, '-C', work, 'package/bin/node', 'package/LICENSE']);
  await rm(path);
}

/** Through lists of its own, so that the machine's package database learns of no second architecture. */
async function unpackDebian(work: string, arch: Arch): Promise<readonly SystemPackage[]> {
  const apt = join(work, 'apt');
  const debs = join(work, 'debs');
  const root = join(work, 'root');
  await Promise.all([
    mkdir(join(apt, 'lists/partial'), { recursive: true }),
    mkdir(join(apt, 'cache/archives/partial'), { recursive: true }),
    mkdir(debs),
    mkdir(root),
  ]);
  await writeFile(join(apt, 'status'), '');
  const options = [
    `APT::Architecture=${arch}`,
    `APT::Architectures=${arch}`,
    `Dir::State::lists=${apt}/lists`,
    `Dir::State::status=${apt}/status`,
    `Dir::Cache=${apt}/cache`,
    'Acquire::Languages=none',
    'APT::Sandbox::User=',
  ].flatMap((option) => ['-o', option]);
  await runCommand('apt-get', [...options, 'update', '-q']);
  await runCommand('apt-get', [...options, 'download', ...LIBRARY_PACKAGES], { cwd: debs });
  const archives = (await readdir(debs)).sort().map((deb) => join(debs, deb));
  for (const deb of archives) await runCommand('dpkg-deb', ['-x', deb, root]);
  const packages = await archivedPackages(archives);
  await rm(apt, { recursive: true });
  await rm(debs, { recursive: true });
  return packages;
}
