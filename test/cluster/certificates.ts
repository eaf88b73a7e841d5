import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { run } from './command.ts';
import { apiServiceAddress, inState, nodeAddress, nodeName } from './settings.ts';

/** A certificate authority of the cluster's own, and one certificate for each part. Made anew with each cluster. */
export const certificate = (name: string): string => inState('pki', `${name}.crt`);
export const privateKey = (name: string): string => inState('pki', `${name}.key`);

/** The API server checks service accounts' tokens by it. */
export const serviceAccountPublicKey: string = inState('pki', 'service-accounts.pub');

type Subject = { name: string; cn: string; o?: string; alt?: string };

/** Clients of the API server, by what they may do: RBAC and the Node authorizer know them by CN and O. */
export const clients: readonly Subject[] = [
  { name: 'admin', cn: 'kling-admin', o: 'system:masters' },
  { name: 'kube-controller-manager', cn: 'system:kube-controller-manager' },
  { name: 'kube-scheduler', cn: 'system:kube-scheduler' },
  { name: 'kube-proxy', cn: 'system:kube-proxy' },
  { name: 'kubelet', cn: `system:node:${nodeName}`, o: 'system:nodes', alt: `DNS:${nodeName},IP:${nodeAddress}` },
];

const servers: readonly Subject[] = [
  {
    name: 'kube-apiserver',
    cn: 'kube-apiserver',
    // Good for the kubelet (exec, logs) and etcd too, where the API server is the client.
    o: 'system:masters',
    alt: [
      'DNS:kubernetes',
      'DNS:kubernetes.default',
      'DNS:kubernetes.default.svc',
      'DNS:kubernetes.default.svc.cluster.local',
      'DNS:localhost',
      'IP:127.0.0.1',
      `IP:${apiServiceAddress}`,
      `IP:${nodeAddress}`,
    ].join(),
  },
];

/** Signs what the API server shows to an aggregated API (metrics, for one); that API must not trust the cluster's own. */
export const proxyAuthority = 'front-proxy-ca';
const proxyClient: Subject = { name: 'front-proxy-client', cn: 'front-proxy-client' };

export async function makeCertificates(): Promise<void> {
  await mkdir(inState('pki'), { recursive: true, mode: 0o700 });
  await Promise.all([newAuthority('ca'), newAuthority(proxyAuthority), newKey('service-accounts')]);
  const publicKey = ['-pubout', '-out', serviceAccountPublicKey];
  await run('openssl', ['pkey', '-in', privateKey('service-accounts'), ...publicKey]);
  await Promise.all([...clients, ...servers].map((subject) => issue(subject, 'ca')));
  await issue(proxyClient, proxyAuthority);
}

async function newAuthority(name: string): Promise<void> {
  await newKey(name);
  const subject = ['-subj', `/CN=kling-cluster-${name}`, '-days', '3650'];
  const usage = ['-addext', 'keyUsage=critical,keyCertSign,digitalSignature'];
  await run('openssl', ['req', '-x509', '-key', privateKey(name), ...subject, ...usage, '-out', certificate(name)]);
}

async function newKey(name: string): Promise<void> {
  const curve = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  await run('openssl', ['genpkey', ...curve, '-out', privateKey(name)]);
}

async function issue({ name, cn, o, alt }: Subject, authority: string): Promise<void> {
  await newKey(name);
  const extensions = [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=clientAuth,serverAuth',
    ...(alt === undefined ? [] : [`subjectAltName=${alt}`]),
  ];
  await writeFile(inState('pki', `${name}.ext`), `${extensions.join('\n')}\n`);
  const request = inState('pki', `${name}.csr`);
  const subject = `${o === undefined ? '' : `/O=${o}`}/CN=${cn}`;
  await run('openssl', ['req', '-new', '-key', privateKey(name), '-subj', subject, '-out', request]);
  const signer = ['-CA', certificate(authority), '-CAkey', privateKey(authority), '-set_serial', serial()];
  const output = ['-days', '3650', '-extfile', inState('pki', `${name}.ext`), '-out', certificate(name)];
  await run('openssl', ['x509', '-req', '-in', request, ...signer, ...output]);
}

const serial = () => `0x1${randomBytes(15).toString('hex')}`;

export const pemBase64 = async (path: string): Promise<string> => (await readFile(path)).toString('base64');
