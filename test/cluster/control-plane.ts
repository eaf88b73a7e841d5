import { writeFile } from 'node:fs/promises';
import { certificate, privateKey, proxyAuthority, serviceAccountPublicKey } from './certificates.ts';
import { startDaemon } from './daemons.ts';
import { kubeconfigOf } from './kubeconfigs.ts';
import { etcdServer, inState, nodeAddress, podNetwork, serviceNetwork } from './settings.ts';

/** API server, controller manager and scheduler, all listening on the node's own address only. */
export function startApiServer(kube: string): void {
  startDaemon('kube-apiserver', [
    kube,
    'kube-apiserver',
    `--advertise-address=${nodeAddress}`,
    `--bind-address=${nodeAddress}`,
    '--secure-port=6443',
    `--service-cluster-ip-range=${serviceNetwork}`,
    `--etcd-servers=${etcdServer}`,
    `--etcd-cafile=${certificate('ca')}`,
    `--etcd-certfile=${certificate('kube-apiserver')}`,
    `--etcd-keyfile=${privateKey('kube-apiserver')}`,
    `--client-ca-file=${certificate('ca')}`,
    `--tls-cert-file=${certificate('kube-apiserver')}`,
    `--tls-private-key-file=${privateKey('kube-apiserver')}`,
    `--kubelet-certificate-authority=${certificate('ca')}`,
    `--kubelet-client-certificate=${certificate('kube-apiserver')}`,
    `--kubelet-client-key=${privateKey('kube-apiserver')}`,
    // The node's name is in no DNS; exec and logs would fail on it.
    '--kubelet-preferred-address-types=InternalIP',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${privateKey('service-accounts')}`,
    `--requestheader-client-ca-file=${certificate(proxyAuthority)}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    `--proxy-client-cert-file=${certificate('front-proxy-client')}`,
    `--proxy-client-key-file=${privateKey('front-proxy-client')}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement',
    '--allow-privileged=true',
    '--profiling=false',
  ]);
}

export function startControllerManager(kube: string): void {
  const kubeconfig = kubeconfigOf('kube-controller-manager');
  startDaemon('kube-controller-manager', [
    kube,
    'kube-controller-manager',
    `--bind-address=${nodeAddress}`,
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    `--root-ca-file=${certificate('ca')}`,
    `--service-account-private-key-file=${privateKey('service-accounts')}`,
    `--cluster-signing-cert-file=${certificate('ca')}`,
    `--cluster-signing-key-file=${privateKey('ca')}`,
    `--cluster-cidr=${podNetwork}`,
    `--service-cluster-ip-range=${serviceNetwork}`,
    '--kube-api-qps=200',
    '--kube-api-burst=400',
    // A claim that waits for a recycled volume is looked at again after this time.
    '--pvclaimbinder-sync-period=2s',
    '--terminated-pod-gc-threshold=100',
  ]);
}

export async function startScheduler(kube: string): Promise<void> {
  const kubeconfig = kubeconfigOf('kube-scheduler');
  const config = inState('kube-scheduler.json');
  await writeFile(
    config,
    JSON.stringify({
      apiVersion: 'kubescheduler.config.k8s.io/v1',
      kind: 'KubeSchedulerConfiguration',
      clientConnection: { kubeconfig, qps: 200, burst: 400 },
      leaderElection: { leaderElect: false },
      podInitialBackoffSeconds: 1,
      podMaxBackoffSeconds: 3,
    }),
  );
  startDaemon('kube-scheduler', [
    kube,
    'kube-scheduler',
    `--config=${config}`,
    `--bind-address=${nodeAddress}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
  ]);
}
