import { readdirSync, readFileSync } from 'node:fs';

/**
 * Processes as the kernel shows them. A process is known by its pid *and* its
 * start time: a pid alone may since belong to another program.
 */
export type ProcessId = { pid: number; startTime: string; bootId: string };

const bootId = () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** @returns undefined when there is no such process, or only its corpse */
export function identify(pid: number): ProcessId | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The name in parentheses may itself hold spaces and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields?.[0], fields?.[19]];
  if (startTime === undefined || state === 'X') return undefined;
  // While other threads of it still end, the first one is a corpse already, but sockets are still bound.
  if (state === 'Z' && threads(pid) <= 1) return undefined;
  return { pid, startTime, bootId: bootId() };
}

export function isAlive(id: ProcessId): boolean {
  const now = identify(id.pid);
  return now !== undefined && now.startTime === id.startTime && now.bootId === id.bootId;
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended first.
  }
}

export function commandLine(pid: number): string[] {
  return (read(`/proc/${pid}/cmdline`) ?? '').split('\0').filter(Boolean);
}

export function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function threads(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).length;
  } catch {
    return 0;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
