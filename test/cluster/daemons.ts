import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import { allPids, commandLine, identify, isAlive, kill } from './proc.ts';
import { inState, stateDir } from './settings.ts';
import { waitFor } from './wait.ts';

/**
 * The cluster's processes. Each leaves a file with its pid, its start time and
 * its command, so that another run can tell, stop and start it again.
 */
export const daemonNames = [
  'etcd',
  'containerd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'volume-recycler',
] as const;
export type DaemonName = (typeof daemonNames)[number];

const recordSchema = z.object({
  pid: z.number().int().positive(),
  startTime: z.string(),
  bootId: z.string(),
  command: z.array(z.string()).min(1),
});
type DaemonRecord = z.infer<typeof recordSchema>;

const pidFile = (name: DaemonName) => inState('pids', `${name}.json`);
export const logFile = (name: DaemonName) => inState('logs', `${name}.log`);

export function startDaemon(name: DaemonName, command: readonly string[]): void {
  const [program, ...args] = command;
  if (program === undefined) throw new Error(`${name} has no command`);
  mkdirSync(inState('pids'), { recursive: true });
  mkdirSync(inState('logs'), { recursive: true });
  const log = openSync(logFile(name), 'a');
  try {
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      env: daemonEnvironment(),
    });
    child.on('error', () => {});
    child.unref();
    const id = child.pid === undefined ? undefined : identify(child.pid);
    if (id === undefined) throw new Error(`${name} did not start: ${lastLines(name)}`);
    writeFileSync(pidFile(name), JSON.stringify({ ...id, command }));
  } finally {
    closeSync(log);
  }
}

/** A proxy of the user's must never stand between the cluster's own parts. */
function daemonEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([key]) => !/^(https?|all|no)_proxy$/i.test(key));
  const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
  return { ...Object.fromEntries(kept), PATH: path };
}

function record(name: DaemonName): DaemonRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(pidFile(name), 'utf8')));
  } catch {
    // No file, or half a file of a run that was killed while it wrote.
    return undefined;
  }
}

/** The pid of a part of the cluster, for tests that stop or kill it. @throws Error when it does not run */
export function daemonPid(name: DaemonName): number {
  const found = record(name);
  if (found === undefined || !isAlive(found)) throw new Error(`${name} does not run`);
  return found.pid;
}

export function daemonRuns(name: DaemonName): boolean {
  const found = record(name);
  return found !== undefined && isAlive(found);
}

/** Kills one part and starts it again with the same command. */
export async function restartDaemon(name: DaemonName): Promise<void> {
  const found = record(name);
  if (found === undefined) throw new Error(`${name} was never started`);
  await stopDaemon(name);
  startDaemon(name, found.command);
}

/** Ends one part at once: everything it keeps is thrown away, so there is nothing to end gently. */
export async function stopDaemon(name: DaemonName): Promise<void> {
  const found = record(name);
  if (found === undefined || !isAlive(found)) return;
  kill(found.pid, 'SIGKILL');
  await waitFor(`${name} to end`, () => (isAlive(found) ? undefined : true), 10_000);
}

/** To give up waiting for a part that has died; the error shows what it said last. */
export function diedCheck(...names: DaemonName[]): () => void {
  return () => {
    for (const name of names) {
      if (!daemonRuns(name))
        throw new DaemonDied(`${name} ended by itself. Its log (${logFile(name)}) ends:\n${lastLines(name)}`);
    }
  };
}

export class DaemonDied extends Error {}

function lastLines(name: DaemonName): string {
  try {
    return readFileSync(logFile(name), 'utf8').trimEnd().split('\n').slice(-12).join('\n');
  } catch {
    return '(no log)';
  }
}

/** Processes of this cluster that no pid file names any more: shims of containerd, parts whose file is lost. */
export function strays(): number[] {
  const ours = /^(kube-[0-9a-f]{16}|etcd|containerd|containerd-shim[-\w]*)$/;
  return allPids().filter((pid) => {
    const [program = '', ...args] = commandLine(pid);
    const isRecycler = args.some((arg) => arg.endsWith('/test/cluster/recycler.ts'));
    return (ours.test(basename(program)) || isRecycler) && args.some((arg) => arg.includes(`${stateDir}/`));
  });
}
