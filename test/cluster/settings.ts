import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Names, addresses and folders of the test cluster. Pods and Services live in
 * 198.18.0.0/15, the range reserved for benchmarks: it is never routed, so no
 * network of the host is shadowed and no test packet can leave it.
 */
export const nodeName = 'kling-node';
export const podNetwork = '198.18.0.0/16';
/** The addresses that pods get; the rest of the network is the node's. */
export const podRange = { from: '198.18.0.2', to: '198.18.250.254', gateway: '198.18.0.1' };
export const serviceNetwork = '198.19.0.0/16';
export const apiServiceAddress = '198.19.0.1';
export const dnsAddress = '198.19.0.10';
/** The node's own address, on a bridge without ports: reachable from this host and its pods, from nowhere else. */
export const nodeAddress = '198.18.255.254';
export const nodeLink = 'kling0';
export const natTable = 'kling_operator_cluster';
export const cniNetwork = 'kling-operator-cluster';
export const cgroup = 'kling-operator-cluster';
export const apiServer = `https://${nodeAddress}:6443`;
export const etcdServer = `https://${nodeAddress}:2379`;
export const kindCluster = 'kling-operator';
export const images = {
  pause: 'localhost/kling-cluster/pause:1',
  coredns: 'localhost/kling-cluster/coredns:1.12.4',
};
/** Folders behind the StorageClass `standard`; enough for some ten test cases at once. */
export const volumeCount = 32;

/** Everything a running cluster keeps; gone after `down`. */
export const stateDir = resolve(process.env['KLING_CLUSTER_DIR'] || '/var/lib/kling-operator-cluster');

/** What is dear to make and good for the next cluster too: binaries, tools, images. */
export const cacheDir = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kling-operator');

export const inState = (...parts: string[]): string => join(stateDir, ...parts);

export const kubeconfigFile = inState('kubeconfig', 'admin');
export const containerdSocket = inState('containerd.sock');
