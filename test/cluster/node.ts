import { mkdir, writeFile } from 'node:fs/promises';
import { certificate, privateKey } from './certificates.ts';
import { startDaemon } from './daemons.ts';
import { kubeconfigOf } from './kubeconfigs.ts';
import { cgroup, containerdSocket, dnsAddress, inState, nodeAddress, nodeName, podNetwork } from './settings.ts';

/** The kubelet and kube-proxy: what makes this machine a node. */
export async function startKubelet(kube: string, resolvers: readonly string[]): Promise<void> {
  await mkdir(inState('kubelet'), { recursive: true });
  const resolvConf = inState('resolv.conf');
  await writeFile(resolvConf, resolvers.map((address) => `nameserver ${address}\n`).join(''));
  const config = inState('kubelet.json');
  await writeFile(config, JSON.stringify(kubeletConfiguration(resolvConf)));
  startDaemon('kubelet', [
    kube,
    'kubelet',
    `--config=${config}`,
    `--kubeconfig=${kubeconfigOf('kubelet')}`,
    `--hostname-override=${nodeName}`,
    `--node-ip=${nodeAddress}`,
    `--root-dir=${inState('kubelet')}`,
    `--cert-dir=${inState('pki')}`,
  ]);
}

function kubeletConfiguration(resolvConf: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: nodeAddress,
    healthzBindAddress: nodeAddress,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: certificate('ca') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: certificate('kubelet'),
    tlsPrivateKeyFile: privateKey('kubelet'),
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    clusterDNS: [dnsAddress],
    clusterDomain: 'cluster.local',
    resolvConf,
    podLogsDir: inState('pod-logs'),
    volumePluginDir: inState('volume-plugins'),
    maxPods: 200,
    // There is no registry to pull an image again from, so none may be collected.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '1%',
      'nodefs.inodesFree': '1%',
      'imagefs.available': '1%',
    },
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    eventRecordQPS: 0,
    serializeImagePulls: false,
    registryPullQPS: 0,
    makeIPTablesUtilChains: false,
    oomScoreAdj: 0,
    shutdownGracePeriod: '0s',
    containerLogMaxSize: '20Mi',
  };
}

export async function startKubeProxy(kube: string): Promise<void> {
  const config = inState('kube-proxy.json');
  await writeFile(
    config,
    JSON.stringify({
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      mode: 'nftables',
      clientConnection: { kubeconfig: kubeconfigOf('kube-proxy'), qps: 50, burst: 100 },
      hostnameOverride: nodeName,
      bindAddress: nodeAddress,
      healthzBindAddress: `${nodeAddress}:10256`,
      metricsBindAddress: `${nodeAddress}:10249`,
      clusterCIDR: podNetwork,
      detectLocalMode: 'ClusterCIDR',
      // Zero: leave the host's own connection tracking as it is.
      conntrack: { maxPerCore: 0, min: 0 },
      nftables: { minSyncPeriod: '100ms' },
      oomScoreAdj: 0,
    }),
  );
  startDaemon('kube-proxy', [kube, 'kube-proxy', `--config=${config}`]);
}
