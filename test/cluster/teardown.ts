import { existsSync } from 'node:fs';
import { cgroupExists, containerPids, removeCgroup } from './cgroups.ts';
import { run } from './command.ts';
import { removeShimSockets } from './containerd.ts';
import { daemonNames, daemonRuns, stopDaemon, strays } from './daemons.ts';
import { foreignNode } from './foreign-node.ts';
import { restoreHost } from './host.ts';
import { ourMounts, unmountAll } from './mounts.ts';
import { podLinks, removeNetwork } from './network.ts';
import { kill } from './proc.ts';
import { natTable, nodeLink, stateDir } from './settings.ts';
import { removeStateFolder } from './state-folder.ts';
import { waitFor } from './wait.ts';

/**
 * Removes a cluster in whatever state it is: running, half started, killed, or
 * left over from before a restart of the machine. Each step finds what there is
 * by looking at the system, not by trusting a file, and does nothing when there
 * is nothing.
 */
export async function tearDown(): Promise<void> {
  // The kubelet first: it would start again what is killed below.
  for (const name of [...daemonNames].reverse()) await stopDaemon(name);
  await waitFor(
    'the last processes to end',
    () => {
      const left = strays();
      for (const pid of left) kill(pid, 'SIGKILL');
      return left.length === 0 ? true : undefined;
    },
    20_000,
  );
  await removeCgroup();
  await removeShimSockets();
  await unmountAll();
  await removeNetwork();
  await restoreHost();
  await removeStateFolder();
}

/** What of a cluster there still is on this host, in words; empty after a complete `down`. */
export async function remains(): Promise<string[]> {
  const names = (prefix: string, list: Iterable<string | number>) => [...list].map((one) => `${prefix} ${one}`);
  const tables = await run('nft', ['list', 'tables']).catch(() => '');
  const links = await run('ip', ['-oneline', 'link']).catch(() => '');
  const rules = await run('iptables-save', []).catch(() => '');
  const foreign = foreignNode() !== undefined;
  return [
    ...names('process', [...daemonNames.filter(daemonRuns), ...strays()]),
    ...names('process in a container', containerPids()),
    ...(cgroupExists() ? ['control group'] : []),
    ...names('mount', ourMounts()),
    ...names('link', [...(await podLinks()), ...(links.includes(`: ${nodeLink}:`) ? [nodeLink] : [])]),
    ...names(
      'nft table',
      tables.split('\n').filter((line) => line.includes(natTable) || (line.includes('kube-proxy') && !foreign)),
    ),
    ...names(
      'iptables rule',
      rules.split('\n').filter((line) => /kling-operator|kling_operator/.test(line)),
    ),
    ...(existsSync(stateDir) ? [`folder ${stateDir}`] : []),
  ];
}
