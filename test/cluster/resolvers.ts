import { readFile } from 'node:fs/promises';

/** Where systemd-resolved keeps the real name servers, behind the loopback address that it puts into resolv.conf. */
const files = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

/**
 * Name servers that a pod can reach. One on a loopback address is the host's
 * own: inside a pod it would be the pod, and CoreDNS would ask itself.
 * @returns addresses; empty when the host has none, and then nothing outside the cluster resolves
 */
export async function outsideResolvers(paths: readonly string[] = files): Promise<string[]> {
  for (const path of paths) {
    const usable = parseResolvers(await readFile(path, 'utf8').catch(() => ''));
    if (usable.length > 0) return usable;
  }
  return [];
}

export function parseResolvers(resolvConf: string): string[] {
  return resolvConf
    .split('\n')
    .map((line) => /^\s*nameserver\s+([0-9A-Fa-f.:]+)/.exec(line)?.[1] ?? '')
    .filter((address) => address !== '' && !address.startsWith('127.') && address !== '::1' && address !== '0.0.0.0');
}
