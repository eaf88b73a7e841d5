import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from './cluster.ts';
import { run } from './command.ts';
import { findProgram } from './packages.ts';
import { steps, toStderr } from './progress.ts';
import { cacheDir, kindCluster } from './settings.ts';

/** `CLUSTER=kind`: a node in a Docker container. Its kubeconfig is a file of its own; the user's is left alone. */
const kubeconfig = join(cacheDir, 'kind.kubeconfig');

export const kindNode: Cluster = {
  async up(options) {
    const step = steps(options.report ?? toStderr);
    await requireKind();
    await mkdir(cacheDir, { recursive: true });
    if (await exists()) await run('kind', ['export', 'kubeconfig', '--name', kindCluster, '--kubeconfig', kubeconfig]);
    else {
      const args = ['create', 'cluster', '--name', kindCluster, '--kubeconfig', kubeconfig, '--wait', '120s'];
      await step(`Creating the kind cluster ${kindCluster}`, () => run('kind', args));
    }
    return kubeconfig;
  },

  async down(options) {
    const step = steps(options.report ?? toStderr);
    await requireKind();
    const args = ['delete', 'cluster', '--name', kindCluster, '--kubeconfig', kubeconfig];
    if (await exists()) await step(`Deleting the kind cluster ${kindCluster}`, () => run('kind', args));
  },

  async status() {
    const running = await exists().catch(() => false);
    return { kind: 'kind', running, lines: [`kind cluster ${kindCluster}: ${running ? 'exists' : 'does not exist'}`] };
  },

  async kubeconfigPath() {
    return kubeconfig;
  },

  async loadImage(archive) {
    await run('kind', ['load', 'image-archive', archive, '--name', kindCluster]);
  },
};

const exists = async () => (await run('kind', ['get', 'clusters'])).split('\n').includes(kindCluster);

async function requireKind(): Promise<void> {
  if ((await findProgram('kind')) === undefined) {
    throw new Error(
      'CLUSTER=kind needs kind on PATH (https://kind.sigs.k8s.io) and Docker; without CLUSTER a node of our own is made',
    );
  }
}
