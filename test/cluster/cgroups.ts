import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kill } from './proc.ts';
import { cgroup } from './settings.ts';
import { waitFor } from './wait.ts';

/**
 * All pods live below one control group of the cluster's own, in every
 * hierarchy (version 1 has one for each controller). It tells which processes
 * are containers of this cluster, even when containerd is long dead.
 */
const root = '/sys/fs/cgroup';
const isVersion2 = () => existsSync(join(root, 'cgroup.controllers'));

export function makeCgroup(): void {
  if (isVersion2()) delegateControllers();
  for (const folder of ourFolders()) mkdirSync(folder, { recursive: true });
  if (existsSync(join(root, 'cpuset', cgroup))) inheritCpuset();
}

function ourFolders(): string[] {
  if (isVersion2()) return [join(root, cgroup)];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(root, name, cgroup));
}

/** Version 2: a controller must be passed down before a child can use it. */
function delegateControllers(): void {
  for (const controller of readFileSync(join(root, 'cgroup.controllers'), 'utf8').trim().split(' ')) {
    try {
      writeFileSync(join(root, 'cgroup.subtree_control'), `+${controller}`);
    } catch {
      // Not every controller can be passed down; the kubelet names one that it misses.
    }
  }
}

/** Version 1: a new cpuset group is empty, and no process may enter an empty one. */
function inheritCpuset(): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    writeFileSync(join(root, 'cpuset', cgroup, file), readFileSync(join(root, 'cpuset', file), 'utf8'));
  }
}

/** Pids of every process in a container of this cluster. */
export function containerPids(): number[] {
  const pids = new Set<number>();
  for (const folder of ourFolders().flatMap(withChildren)) {
    for (const line of read(join(folder, 'cgroup.procs')).split('\n')) if (Number(line) > 0) pids.add(Number(line));
  }
  return [...pids];
}

/** Kills all containers' processes and removes the groups. */
export async function removeCgroup(): Promise<void> {
  await waitFor(
    'the containers to end',
    () => {
      const pids = containerPids();
      for (const pid of pids) kill(pid, 'SIGKILL');
      return pids.length === 0 ? true : undefined;
    },
    30_000,
  );
  await waitFor(
    'the control groups to go',
    () => (ourFolders().map(removeTree).every(Boolean) ? true : undefined),
    10_000,
  );
}

export const cgroupExists = (): boolean => ourFolders().some((folder) => existsSync(folder));

/** Control groups are removed folder by folder, the deepest first; their files are not real. */
function removeTree(folder: string): boolean {
  for (const one of withChildren(folder)) {
    try {
      rmdirSync(one);
    } catch {
      // Busy until its last process is reaped, or not there.
    }
  }
  return !existsSync(folder);
}

function withChildren(folder: string): string[] {
  try {
    const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...children.flatMap(({ name }) => withChildren(join(folder, name))), folder];
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
