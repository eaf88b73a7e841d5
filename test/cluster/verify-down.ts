/**
 * Proves that a cluster can be killed and comes back, and that `down` leaves
 * nothing behind. It ends with no cluster, so it runs after everything else:
 *
 *     sh scripts/run.sh test/cluster/verify-down.ts [--keep]
 *
 * `--keep` makes a new cluster at the end.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { containerPids } from './cgroups.ts';
import { run } from './command.ts';
import { daemonNames, daemonPid, strays } from './daemons.ts';
import { down, kubeconfigPath, up } from './index.ts';
import { kubectl } from './kubectl.ts';
import { kill } from './proc.ts';
import { inState, stateDir } from './settings.ts';
import { remains } from './teardown.ts';

if (process.env['CLUSTER'] && process.env['CLUSTER'] !== 'node') throw new Error('This is about our own node only');

await down();
const before = await hostState();

console.error('--- kill -9 of everything, then up');
await up();
const firstNode = await nodeUid();
const killed = [...daemonNames.map(daemonPid), ...strays(), ...containerPids()];
for (const pid of killed) kill(pid, 'SIGKILL');
await up();
check((await nodeUid()) !== firstNode, 'a killed cluster is made anew');

console.error('--- pid files that name another program');
const bystander = process.pid;
for (const name of daemonNames) {
  const file = inState('pids', `${name}.json`);
  const record: unknown = JSON.parse(readFileSync(file, 'utf8'));
  kill(daemonPid(name), 'SIGKILL');
  writeFileSync(file, JSON.stringify({ ...(record as object), pid: bystander }));
}
await up();
check(true, 'the process whose pid they named (this one) was left alone');

console.error('--- the pid files are lost while everything runs');
await run('rm', ['-rf', inState('pids')]);
await down();
await reportRemains('down without pid files');

await up();
const secondUp = performance.now();
await up();
const seconds = (performance.now() - secondUp) / 1000;
check(seconds < 10, `a second up takes seconds (${seconds.toFixed(1)})`);
await down();
await reportRemains('down');
const after = await hostState();
for (const [what, value] of Object.entries(before)) {
  check(
    after[what] === value,
    `${what} is as before${after[what] === value ? '' : `:\n${value}\n--- now\n${after[what]}`}`,
  );
}
check(!existsSync(stateDir), 'the folder is gone');
await down();
check(true, 'a second down does nothing');
if (process.argv.includes('--keep')) await up();
if (process.exitCode) console.error('FAILED');

async function nodeUid(): Promise<string> {
  return kubectl(await kubeconfigPath(), ['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.uid}']);
}

async function reportRemains(what: string): Promise<void> {
  const left = await remains();
  check(left.length === 0, `${what} leaves nothing${left.length === 0 ? '' : `: ${left.join('; ')}`}`);
}

/** What other programs of this host would notice. */
async function hostState(): Promise<Record<string, string>> {
  const lines = async (program: string, args: string[]) => (await run(program, args).catch(() => '')).trim();
  const sysctl = (name: string) => readFileSync(`/proc/sys/${name}`, 'utf8').trim();
  return {
    links: (await lines('ip', ['-brief', 'link'])).replace(/ .*$/gm, ''),
    routes: await lines('ip', ['route']),
    'network namespaces': await lines('ip', ['netns']),
    'nft tables': await lines('nft', ['list', 'tables']),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8').replace(/^\S+ \S+ \S+ \S+ (\S+) .*$/gm, '$1'),
    'forwarding switch': sysctl('net/ipv4/ip_forward'),
    'kernel settings': ['vm/overcommit_memory', 'kernel/panic', 'fs/inotify/max_user_instances'].map(sysctl).join(' '),
    'fixed folders': [
      '/var/lib/kubelet',
      '/var/log/pods',
      '/var/log/containers',
      '/var/lib/cni',
      '/run/containerd',
      '/opt/cni',
    ]
      .filter((folder) => existsSync(folder))
      .join(),
  };
}

function check(holds: boolean, what: string): void {
  console.error(`${holds ? 'ok  ' : 'FAIL'} ${what}`);
  if (!holds) process.exitCode = 1;
}
