import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.ts';
import { diedCheck, startDaemon } from './daemons.ts';
import { cniConfigDir } from './network.ts';
import { cniPlugins, findProgram } from './packages.ts';
import { containerdSocket, images, inState, stateDir } from './settings.ts';
import { waitFor } from './wait.ts';

/** The container runtime, with its own root, state and socket: a containerd or Docker of the host is not touched. */
const taskDir = inState('containerd', 'state', 'io.containerd.runtime.v2.task', 'k8s.io');

export async function startContainerd(): Promise<void> {
  const file = inState('containerd.toml');
  await mkdir(inState('containerd'), { recursive: true });
  await writeFile(file, await config());
  startDaemon('containerd', [(await findProgram('containerd')) ?? 'containerd', '--config', file]);
  const ready = () => ctr(['version']).then(() => true);
  await waitFor('containerd', ready, 30_000, diedCheck('containerd'));
}

async function config(): Promise<string> {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = ${JSON.stringify(inState('containerd', 'root'))}
state = ${JSON.stringify(inState('containerd', 'state'))}
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
address = ${JSON.stringify(containerdSocket)}
[debug]
level = "warn"
[${cri}]
sandbox_image = ${JSON.stringify(images.pause)}
# Where root lacks CAP_SYS_RESOURCE, a sandbox that asks for a lower score than it has dies at its start.
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
max_container_log_line_size = 65536
[${cri}.cni]
bin_dir = ${JSON.stringify(cniPlugins)}
conf_dir = ${JSON.stringify(cniConfigDir)}
[${cri}.containerd]
snapshotter = ${JSON.stringify(await snapshotter())}
default_runtime_name = "runc"
[${cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
SystemdCgroup = false
Root = ${JSON.stringify(inState('runc'))}
`;
}

/** An overlay cannot lie on an overlay, which is what this host's root is when it is itself a container. */
async function snapshotter(): Promise<'overlayfs' | 'native'> {
  const overlayMagic = 0x794c7630;
  return (await statfs(stateDir)).type === overlayMagic ? 'native' : 'overlayfs';
}

export const ctr = (args: readonly string[]): Promise<string> =>
  run('ctr', ['--address', containerdSocket, '--namespace', 'k8s.io', ...args]);

/** @param archive as `buildah push docker-archive:` or `docker save` write it */
export async function importImage(archive: string): Promise<void> {
  await ctr(['images', 'import', '--snapshotter', await snapshotter(), archive]);
}

/**
 * The host's pid of a container's first process.
 * @param id the container's id, without `containerd://`
 * @throws Error when it does not run
 */
export function taskPid(id: string): number {
  if (!/^[0-9a-f]{64}$/.test(id)) throw new Error(`Not the id of a container: ${id}`);
  const pid = Number(readFileSync(join(taskDir, id, 'init.pid'), 'utf8'));
  if (!(pid > 0)) throw new Error(`Container ${id} has no process`);
  return pid;
}

/** Sockets of the shims, which lie outside the cluster's folder; call before that folder goes. */
export async function removeShimSockets(): Promise<void> {
  for (const id of list(taskDir)) {
    try {
      const address = readFileSync(join(taskDir, id, 'address'), 'utf8')
        .trim()
        .replace(/^unix:\/\//, '');
      if (address.startsWith('/run/containerd/s/')) await rm(address, { force: true });
    } catch {
      // A container that was never started.
    }
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
