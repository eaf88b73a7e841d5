import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { allPids, commandLine } from './proc.ts';
import { stateDir } from './settings.ts';

/**
 * A kubelet or kube-proxy in this network namespace that is not ours: then the
 * tables that kube-proxy makes are not ours either. A node that runs in a
 * container (kind) has a network of its own and does not count.
 * @returns what it is, in words
 */
export function foreignNode(): string | undefined {
  const here = network('self');
  for (const pid of allPids()) {
    const [program = '', ...args] = commandLine(pid);
    if (!/^(kubelet|kube-proxy|k3s|k0s|rke2)$/.test(basename(program))) continue;
    if (network(pid) === here && !args.some((arg) => arg.includes(`${stateDir}/`)))
      return `${basename(program)}, pid ${pid}`;
  }
  return undefined;
}

function network(pid: number | 'self'): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return '';
  }
}
