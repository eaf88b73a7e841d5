/** The part that all images share: Node, its libraries, CA certificates and the names of users. */
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Arch } from './elf.ts';
import { foreignRuntime, type Runtime } from './foreign-runtime.ts';
import { copyLibraries, findLibraries } from './libraries.ts';
import {
  CERTIFICATES_PACKAGE,
  distribution,
  installedPackages,
  LIBRARY_PACKAGES,
  ownerOf,
  type SystemPackage,
} from './system-packages.ts';

export const HOST_ARCH: Arch = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** Debian's and Fedora's place of the bundle of trusted certificates. */
const CERTIFICATES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];

/** Its place in the image. */
const BUNDLE = 'etc/ssl/certs/ca-certificates.crt';

const USER = 65532;

const ETC: Readonly<Record<string, string>> = {
  'etc/passwd': `root:x:0:0:root:/:/nologin\nkling:x:${USER}:${USER}:kling:/:/nologin\n`,
  'etc/group': `root:x:0:\nkling:x:${USER}:\n`,
  // Names come from the files and from DNS, as a cluster writes them into the pod.
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

/** What the shared part is made of, for whoever writes it down. */
export interface BaseContents {
  readonly arch: Arch;
  readonly nodeVersion: string;
  /** As in `debian-12`; undefined on a Linux that does not say. */
  readonly distribution: string | undefined;
  /** Packages of the system, with the files of theirs that are in the image. */
  readonly packages: readonly SystemPackage[];
  /** Libraries that no known package owns: path in the image. */
  readonly unowned: readonly string[];
}

/** Writes the shared part for one architecture into `target`, from nothing. */
export async function writeBase(repository: string, arch: Arch, target: string): Promise<BaseContents> {
  const runtime = arch === HOST_ARCH ? await hostRuntime(repository) : await foreignRuntime(repository, arch);
  const { node, root } = runtime;
  await rm(target, { recursive: true, force: true });
  await mkdir(join(target, 'usr/bin'), { recursive: true });
  await copyFile(node, join(target, 'usr/bin/node'));
  await chmod(join(target, 'usr/bin/node'), 0o755);
  const libraries = await findLibraries(arch, root, [node]);
  await copyLibraries(libraries, target);
  await copyNotices(repository, node, root, target);
  await writeEtc(target);
  const owners = [...libraries.files].map(([path, source]) => ({
    path,
    owner: ownerOf(source.slice(root === '/' ? 0 : root.length), runtime.packages),
  }));
  const certificates = await installedPackages([CERTIFICATES_PACKAGE]);
  return {
    ...{ arch, nodeVersion: runtime.version, distribution: await distribution() },
    packages: [
      ...runtime.packages
        .map((each) => ({ ...each, files: owners.filter(({ owner }) => owner === each).map(({ path }) => path) }))
        .filter(({ files }) => files.length > 0),
      ...certificates.map((each) => ({ ...each, files: [BUNDLE] })),
    ],
    unowned: owners.filter(({ owner }) => owner === undefined).map(({ path }) => path),
  };
}

/** The licences of this project, of Node and, where the machine has them, of what comes from the system. */
async function copyNotices(repository: string, node: string, root: string, target: string): Promise<void> {
  const folder = join(target, 'usr/share/doc');
  const notices = new Map([
    [join(folder, 'kling-operator/LICENSE'), [join(repository, 'LICENSE')]],
    [join(folder, 'node/LICENSE'), [join(dirname(node), '../LICENSE')]],
  ]);
  for (const name of [...LIBRARY_PACKAGES, CERTIFICATES_PACKAGE]) {
    // Some packages' text lies in another one that was not unpacked; it is the same for every architecture.
    const sources = [...new Set([root, '/'])].map((each) => join(each, 'usr/share/doc', name, 'copyright'));
    notices.set(join(folder, name, 'copyright'), sources);
  }
  for (const [copy, sources] of notices) {
    const text = await readFirst(sources);
    if (text === undefined) continue;
    await mkdir(dirname(copy), { recursive: true });
    await writeFile(copy, text);
  }
}

/** Users, name service, certificates and a place for temporary files. */
export async function writeEtc(target: string): Promise<void> {
  for (const [path, text] of Object.entries(ETC)) {
    await mkdir(dirname(join(target, path)), { recursive: true });
    await writeFile(join(target, path), text);
  }
  const certificates = join(target, BUNDLE);
  await mkdir(dirname(certificates), { recursive: true });
  const trusted = await readFirst(CERTIFICATES);
  if (trusted === undefined) {
    throw new Error(`no CA certificates at ${CERTIFICATES.join(' or ')}: install the package ca-certificates`);
  }
  await writeFile(certificates, trusted);
  await mkdir(join(target, 'tmp'), { recursive: true });
  await chmod(join(target, 'tmp'), 0o1777);
}

/** The Node of the lockfile, which carries its libraries' names but not the libraries. */
async function hostRuntime(repository: string): Promise<Runtime> {
  if (process.platform !== 'linux') {
    throw new Error(
      `images are made from a Linux machine's libraries; this is ${process.platform}: use a Linux machine or container`,
    );
  }
  const manifest = createRequire(join(repository, 'package.json')).resolve(`node-linux-${process.arch}/package.json`);
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(await readFile(manifest, 'utf8')));
  const packages = await installedPackages(LIBRARY_PACKAGES);
  return { node: join(dirname(manifest), 'bin/node'), root: '/', version, packages };
}

async function readFirst(paths: readonly string[]): Promise<Buffer | undefined> {
  for (const path of paths) {
    const content = await readFile(path).catch(() => undefined);
    if (content !== undefined) return content;
  }
  return undefined;
}
