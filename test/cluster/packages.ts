import { access, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { run } from './command.ts';
import type { Step } from './progress.ts';

/** A Debian package, and the program by which it is found. */
export type Package = { name: string; program: string };

/** What the cluster needs of the system. */
export const clusterPackages: readonly Package[] = [
  { name: 'containerd', program: 'containerd' },
  { name: 'runc', program: 'runc' },
  { name: 'containernetworking-plugins', program: '/usr/lib/cni/ptp' },
  { name: 'buildah', program: 'buildah' },
  { name: 'iptables', program: 'iptables' },
  { name: 'nftables', program: 'nft' },
  { name: 'conntrack', program: 'conntrack' },
  { name: 'ethtool', program: 'ethtool' },
  { name: 'socat', program: 'socat' },
  { name: 'etcd-server', program: 'etcd' },
  { name: 'iproute2', program: 'ip' },
  { name: 'openssl', program: 'openssl' },
];

export const cniPlugins = '/usr/lib/cni';

export async function installPackages(step: Step, needed: readonly Package[]): Promise<void> {
  const found = await Promise.all(needed.map(({ program }) => findProgram(program)));
  const missing = needed.filter((_, index) => !found[index]).map(({ name }) => name);
  if (missing.length === 0) return;
  if (!(await findProgram('apt-get'))) {
    throw new Error(
      `These are missing and this system has no apt-get: ${missing.join(' ')}. Install them and try again`,
    );
  }
  await step(`Installing Debian packages: ${missing.join(' ')}`, () => withoutAutostart(() => aptInstall(missing)));
}

async function aptInstall(names: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = ['-qq', '-y', '-o', 'DPkg::Lock::Timeout=300'];
  const install = () => run('apt-get', [...options, 'install', '--no-install-recommends', ...names], { env });
  // Package lists that are missing or out of date fail the first try.
  await install().catch(async () => {
    await run('apt-get', [...options, 'update'], { env });
    await install();
  });
}

/** etcd, containerd and others would start as services of the system; ours run beside them, under our own folder. */
async function withoutAutostart(install: () => Promise<void>): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d';
  const own = await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' }).then(
    () => true,
    () => false,
  );
  try {
    await install();
  } finally {
    if (own) await rm(policy, { force: true });
  }
}

/** The full path of a program, or undefined. Looks into the sbin folders too, which a plain user's PATH lacks. */
export async function findProgram(name: string): Promise<string | undefined> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  const candidates = name.startsWith('/') ? [name] : folders.filter(Boolean).map((folder) => join(folder, name));
  for (const candidate of candidates) {
    const there = await access(candidate).then(
      () => true,
      () => false,
    );
    if (there) return candidate;
  }
  return undefined;
}
