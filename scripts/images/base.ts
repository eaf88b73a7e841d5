/** The part that all images share: Node, its libraries, CA certificates and the names of users. */
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Arch } from './elf.ts';
import { foreignRuntime, type Runtime } from './foreign-runtime.ts';
import { copyLibraries, findLibraries } from './libraries.ts';

export const HOST_ARCH: Arch = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** Debian's and Fedora's place of the bundle of trusted certificates. */
const CERTIFICATES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];

const USER = 65532;

const ETC: Readonly<Record<string, string>> = {
  'etc/passwd': `root:x:0:0:root:/:/nologin\nkling:x:${USER}:${USER}:kling:/:/nologin\n`,
  'etc/group': `root:x:0:\nkling:x:${USER}:\n`,
  // Names come from the files and from DNS, as a cluster writes them into the pod.
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

/** Writes the shared part for one architecture into `target`, from nothing. */
export async function writeBase(repository: string, arch: Arch, target: string): Promise<void> {
  const { node, root } = arch === HOST_ARCH ? hostRuntime(repository) : await foreignRuntime(repository, arch);
  await rm(target, { recursive: true, force: true });
  await mkdir(join(target, 'usr/bin'), { recursive: true });
  await copyFile(node, join(target, 'usr/bin/node'));
  await chmod(join(target, 'usr/bin/node'), 0o755);
  await copyLibraries(await findLibraries(arch, root, [node]), target);
  await copyNotices(node, root, target);
  await writeEtc(target);
}

/** Debian's packages that the libraries of an image come from. */
const NOTICES = ['libc6', 'libgcc-s1', 'libstdc++6'];

/** The licences of Node and, where the machine has them, of the libraries. */
async function copyNotices(node: string, root: string, target: string): Promise<void> {
  const folder = join(target, 'usr/share/doc');
  const notices = new Map([[join(folder, 'node/LICENSE'), [join(dirname(node), '../LICENSE')]]]);
  for (const name of NOTICES) {
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
  const certificates = join(target, 'etc/ssl/certs/ca-certificates.crt');
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
function hostRuntime(repository: string): Runtime {
  if (process.platform !== 'linux') {
    throw new Error(
      `images are made from a Linux machine's libraries; this is ${process.platform}: use a Linux machine or container`,
    );
  }
  const manifest = createRequire(join(repository, 'package.json')).resolve(`node-linux-${process.arch}/package.json`);
  return { node: join(dirname(manifest), 'bin/node'), root: '/' };
}

async function readFirst(paths: readonly string[]): Promise<Buffer | undefined> {
  for (const path of paths) {
    const content = await readFile(path).catch(() => undefined);
    if (content !== undefined) return content;
  }
  return undefined;
}
