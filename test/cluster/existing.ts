import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir, networkInterfaces } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { z } from 'zod';
import type { Cluster } from './cluster.ts';
import { run } from './command.ts';
import { importImage } from './containerd.ts';
import { apiServer, cacheDir, containerdSocket } from './settings.ts';
import { tools } from './tools.ts';

/** `CLUSTER=existing`: the context that kubectl would use. It is neither made nor removed here. */
export const existingCluster: Cluster = {
  async up(options) {
    const { context, server } = await currentContext();
    if (!options.yes && !isThisHost(server)) await ask(context, server);
    const path = await kubeconfigPath();
    await kubectl(['get', '--raw', '/readyz', '--request-timeout=15s']).catch((error: unknown) => {
      throw new Error(`The cluster of the context ${context} (${server}) does not answer`, { cause: error });
    });
    return path;
  },

  /** What is in use elsewhere stays: only what was installed into it is removed, by whoever installed it. */
  async down() {},

  async status() {
    const { context, server } = await currentContext();
    const running = await kubectl(['get', '--raw', '/readyz', '--request-timeout=5s']).then(
      () => true,
      () => false,
    );
    return {
      kind: 'existing',
      running,
      lines: [`context ${context}: ${server} ${running ? 'answers' : 'does not answer'}`],
    };
  },

  kubeconfigPath,

  async loadImage(archive) {
    const { context, server } = await currentContext();
    if (server !== apiServer || !existsSync(containerdSocket)) {
      throw new Error(
        `Images cannot be put into the nodes of the context ${context} from here: push them to a registry that it pulls from (npm run images -- push REGISTRY)`,
      );
    }
    await importImage(archive);
  },
};

const viewSchema = z.object({
  'current-context': z.string().min(1),
  clusters: z.array(z.object({ cluster: z.object({ server: z.url() }) })).min(1),
});

async function currentContext(): Promise<{ context: string; server: string }> {
  const view = viewSchema.safeParse(
    JSON.parse(await kubectl(['config', 'view', '--minify', '-o', 'json']).catch(() => '{}')),
  );
  const server = view.data?.clusters[0]?.cluster.server;
  if (view.data === undefined || server === undefined) {
    throw new Error(
      'CLUSTER=existing needs a current context: set KUBECONFIG, or choose one with kubectl config use-context',
    );
  }
  return { context: view.data['current-context'], server };
}

/** One file, because a client library reads one: a KUBECONFIG of several is merged into the cache folder. */
async function kubeconfigPath(): Promise<string> {
  const paths = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean);
  if (paths.length <= 1) return paths[0] ?? join(homedir(), '.kube', 'config');
  const merged = join(cacheDir, 'existing.kubeconfig');
  await mkdir(cacheDir, { recursive: true });
  await writeFile(merged, await kubectl(['config', 'view', '--flatten', '--minify']), { mode: 0o600 });
  return merged;
}

const kubectl = async (args: readonly string[]) => run((await tools()).kubectl, args);

/** True for a server on loopback or on an address of this machine: a name counts as another host, except localhost. */
export function isThisHost(server: string): boolean {
  const host = new URL(server).hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host.startsWith('127.') || host === '::1') return true;
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === host));
}

async function ask(context: string, server: string): Promise<void> {
  const what = `The context ${context} is ${server}, which is not on this host`;
  if (!process.stdin.isTTY)
    throw new Error(`${what}: to change that cluster, say so with --yes, or choose another context`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${what}. Install into it? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new Error('Stopped: nothing was changed');
  } finally {
    terminal.close();
  }
}
