import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { run, succeeds } from './command.ts';
import { foreignNode } from './foreign-node.ts';
import { cniNetwork, inState, natTable, nodeAddress, nodeLink, podNetwork, podRange, stateDir } from './settings.ts';

/**
 * The network of node and pods. Each pod has a veth pair of its own and is
 * routed (`ptp`), not bridged: replies of a Service then pass the host's
 * connection tracking even where the kernel does not show bridged packets to
 * netfilter. The node's own address sits on a bridge without ports, so the API
 * server does not depend on the host's network and is not exposed to it.
 */
const interfaceDir = inState('cni', 'net.d');
export const cniConfigDir = interfaceDir;

export async function makeNetwork(): Promise<void> {
  await run('ip', ['link', 'add', nodeLink, 'type', 'bridge']);
  await run('ip', ['address', 'add', `${nodeAddress}/32`, 'dev', nodeLink]);
  await run('ip', ['link', 'set', nodeLink, 'alias', stateDir, 'up']);
  await run('nft', ['-f', '-'], { input: natRules });
  if (await forwardingIsDropped()) for (const rule of acceptRules) await run('iptables', ['-I', 'FORWARD', ...rule]);
  await mkdir(interfaceDir, { recursive: true });
  await writeFile(join(interfaceDir, '10-kling.conflist'), JSON.stringify(cniConfig));
}

/** Pods reach the outside under the host's address; what stays within 198.18.0.0/15 keeps its own. */
const natRules = `table ip ${natTable} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${podNetwork} ip daddr != 198.18.0.0/15 masquerade
  }
}
`;

const cniConfig = {
  cniVersion: '0.4.0',
  name: cniNetwork,
  plugins: [
    {
      type: 'ptp',
      ipMasq: false,
      ipam: {
        type: 'host-local',
        dataDir: inState('cni', 'addresses'),
        ranges: [[{ subnet: podNetwork, rangeStart: podRange.from, rangeEnd: podRange.to, gateway: podRange.gateway }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
};

/** Docker, for one, drops what is forwarded for others. */
const acceptRules = ['-s', '-d'].map((side) => [
  side,
  podNetwork,
  '-m',
  'comment',
  '--comment',
  natTable,
  '-j',
  'ACCEPT',
]);

const forwardingIsDropped = () =>
  run('iptables', ['-S', 'FORWARD']).then(
    (rules) => rules.includes('-P FORWARD DROP'),
    () => false,
  );

/** The folder of the cluster whose network this is; undefined without one. Addresses are fixed, so a host has one cluster. */
export function networkOwner(): string | undefined {
  try {
    return readFileSync(`/sys/class/net/${nodeLink}/ifalias`, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Removes all of it, and whatever kube-proxy and the CNI plugins added; nothing missing is an error. */
export async function removeNetwork(): Promise<void> {
  for (const link of await podLinks()) await succeeds('ip', ['link', 'delete', link]);
  await succeeds('ip', ['link', 'delete', nodeLink]);
  const kubeProxy = foreignNode() === undefined ? ['ip kube-proxy', 'ip6 kube-proxy'] : [];
  for (const table of [`ip ${natTable}`, ...kubeProxy]) {
    await succeeds('nft', ['delete', 'table', ...table.split(' ')]);
  }
  for (const rule of acceptRules) while (await succeeds('iptables', ['-D', 'FORWARD', ...rule]));
  await removeHostPorts();
  await removeCniResults();
}

const addresses = z.array(
  z.object({
    ifname: z.string().optional(),
    addr_info: z.array(z.object({ local: z.string().optional() })).optional(),
  }),
);

/** The host's ends of the pods' veth pairs: all carry the gateway's address. */
export async function podLinks(): Promise<string[]> {
  const text = await run('ip', ['-json', 'address']).catch(() => '[]');
  return addresses
    .parse(JSON.parse(text))
    .filter((link) => link.addr_info?.some(({ local }) => local === podRange.gateway))
    .flatMap(({ ifname }) => ifname ?? []);
}

/** Chains that the plugin `portmap` left for pods that had a hostPort and were never taken down by containerd. */
async function removeHostPorts(): Promise<void> {
  const saved = await run('iptables-save', ['-t', 'nat']).catch(() => '');
  if (!saved.includes(cniNetwork)) return;
  const rules = saved.split('\n').filter((line) => line.startsWith('-A') && line.includes(cniNetwork));
  for (const rule of rules) {
    const words = (rule.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"|"$/g, ''));
    await succeeds('iptables', ['-t', 'nat', '-D', ...words.slice(1)]);
    const chain = words[words.indexOf('-j') + 1];
    if (chain?.startsWith('CNI-DN-')) {
      await succeeds('iptables', ['-t', 'nat', '-F', chain]);
      await succeeds('iptables', ['-t', 'nat', '-X', chain]);
    }
  }
}

/** libcni keeps the result of each pod in a folder that cannot be configured. */
async function removeCniResults(): Promise<void> {
  const folder = '/var/lib/cni/results';
  const files = await readdir(folder).catch(() => []);
  await Promise.all(
    files.filter((file) => file.startsWith(`${cniNetwork}-`)).map((file) => rm(join(folder, file), { force: true })),
  );
}
