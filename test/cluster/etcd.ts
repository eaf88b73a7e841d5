import { certificate, privateKey } from './certificates.ts';
import { startDaemon } from './daemons.ts';
import { findProgram } from './packages.ts';
import { etcdServer, inState, nodeAddress } from './settings.ts';

/** The database of the cluster. It skips fsync: its data need not outlive this machine, and tests become faster. */
export async function startEtcd(): Promise<void> {
  const program = (await findProgram('etcd')) ?? 'etcd';
  const peer = `http://${nodeAddress}:2380`;
  startDaemon('etcd', [
    program,
    '--name=kling',
    `--data-dir=${inState('etcd')}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=${etcdServer}`,
    `--advertise-client-urls=${etcdServer}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=kling=${peer}`,
    `--cert-file=${certificate('kube-apiserver')}`,
    `--key-file=${privateKey('kube-apiserver')}`,
    `--trusted-ca-file=${certificate('ca')}`,
    '--client-cert-auth',
    '--auto-compaction-retention=1',
    '--log-level=warn',
  ]);
}
