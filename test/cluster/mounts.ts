import { readFileSync } from 'node:fs';
import { succeeds } from './command.ts';
import { stateDir } from './settings.ts';

/** Mounts below the cluster's folder (containers' roots, Secrets, volumes, network namespaces), the newest first. */
export function ourMounts(mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): string[] {
  return mountinfo
    .split('\n')
    .map((line) => decodeOctal(line.split(' ')[4] ?? ''))
    .filter((point) => point.startsWith(`${stateDir}/`))
    .reverse();
}

/** The kernel writes blanks and backslashes in paths as octal numbers. */
const decodeOctal = (path: string) =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** @throws Error naming what is still mounted: the folder must not be deleted through a mount */
export async function unmountAll(): Promise<void> {
  for (const point of ourMounts()) {
    if (!(await succeeds('umount', [point]))) await succeeds('umount', ['--lazy', point]);
  }
  const left = ourMounts();
  if (left.length > 0) throw new Error(`Could not unmount ${left.join(', ')}`);
}
