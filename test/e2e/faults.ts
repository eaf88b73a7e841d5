/** Faults from outside: none of them is in a production image. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { containerPid, loadImage, writeScratchImage } from '../cluster/index.ts';
import type { Case } from './case.ts';
import { type Json, run } from './kubectl.ts';

/** Those of test/images/mcp-faults that are made while a pod runs. */
export type ServerFault =
  | 'session-manager'
  | '500'
  | 'garbage'
  | 'wrong-id'
  | 'empty'
  | 'never-ending'
  | 'refuse'
  | 'crash';

/** The image that wraps the production bundle so that a file can break it. */
export const FAULTY_IMAGE = 'localhost/kling-test-mcp-faults:dev';
/** An image that names no user, so it would run as root; `loadRootImage` brings it. */
export const ROOT_IMAGE = 'localhost/kling-test-root:dev';
export const PYTHON_IMAGE = 'localhost/kling-test-python:dev';

export async function loadRootImage(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kling-root-image-'));
  try {
    const archive = join(folder, 'image.tar');
    await writeScratchImage(
      { reference: ROOT_IMAGE, files: { server: import.meta.filename }, entrypoint: ['/server'] },
      archive,
    );
    await loadImage(archive);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The spec of an MCP workload whose pods can be broken by `breakPod`. */
export const faulty = { image: FAULTY_IMAGE, server: 'Kling' } as const;

/** From now on every MCP request to this pod fails in the given way. */
export const breakPod = (kase: Case, pod: Json, fault: ServerFault): Promise<string> =>
  kase.exec(pod.metadata.name, `require('node:fs').writeFileSync('/tmp/fault', ${JSON.stringify(fault)})`);

const signal = async (kase: Case, pod: Json, name: NodeJS.Signals, container = 'mcp'): Promise<void> => {
  process.kill(await containerPid({ namespace: kase.namespace, pod: pod.metadata.name, container }), name);
};

/** Stops the process of a pod's container from the host: it keeps its sockets and answers nothing. */
export const hang = (kase: Case, pod: Json, container = 'mcp'): Promise<void> =>
  signal(kase, pod, 'SIGSTOP', container);

/** Lets a process that was stopped go on. */
export const resume = (kase: Case, pod: Json, container = 'mcp'): Promise<void> =>
  signal(kase, pod, 'SIGCONT', container);

/** Ends the process of a pod's container from the host. */
export const crash = (kase: Case, pod: Json): Promise<void> => signal(kase, pod, 'SIGKILL');

/** A rule of a packet filter within the network of one pod, as a network policy would make it; it goes when the pod goes. */
async function filter(
  kase: Case,
  pod: Json,
  container: string,
  chain: 'input' | 'output',
  rule: string,
): Promise<void> {
  const pid = await containerPid({ namespace: kase.namespace, pod: pod.metadata.name, container });
  const table = `table ip e2e {\n chain ${chain} {\n  type filter hook ${chain} priority 0;\n  ${rule}\n }\n}\n`;
  const result = await run('nsenter', ['-t', String(pid), '-n', 'nft', '-f', '-'], { input: table });
  if (result.code !== 0) throw new Error(`nft: ${result.stderr}`);
}

/** From now on a port of the pod answers nothing that comes from one address. */
export const dropPackets = (rule: {
  from: string;
  to: Case;
  pod: Json;
  container: string;
  port: number;
}): Promise<void> =>
  filter(rule.to, rule.pod, rule.container, 'input', `ip saddr ${rule.from} tcp dport ${rule.port} drop`);

/** From now on a pod can resolve no name. */
export async function refuseNames(kase: Case, pod: Json, container: string): Promise<void> {
  await filter(kase, pod, container, 'output', 'meta l4proto { tcp, udp } th dport 53 reject');
}
