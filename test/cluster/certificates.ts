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

export async function makeCertificates(): Promise<void> {
  await mkdir(inState('pki'), { recursive: true, mode: 0o700 });
  await newKey('ca');
  const ca = [
    'req',
    '-x509',
    '-key',
    privateKey('ca'),
    '-subj',
    '/CN=kling-cluster',
    '-days',
    '3650',
    '-out',
    certificate('ca'),
  ];
  await run('openssl', [...ca, '-addext', 'keyUsage=critical,keyCertSign,digitalSignature']);
  await newKey('service-accounts');
  await run('openssl', ['pkey', '-in', privateKey('service-accounts'), '-pubout', '-out', serviceAccountPublicKey]);
  await Promise.all([...clients, ...servers].map(issue));
}

async function newKey(name: string): Promise<void> {
  await run('openssl', [
    'genpkey',
    '-algorithm',
    'EC',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-out',
    privateKey(name),
  ]);
}

async function issue({ name, cn, o, alt }: Subject): Promise<void> {
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
  const authority = ['-CA', certificate('ca'), '-CAkey', privateKey('ca'), '-set_serial', serial()];
  const output = ['-days', '3650', '-extfile', inState('pki', `${name}.ext`), '-out', certificate(name)];
  await run('openssl', ['x509', '-req', '-in', request, ...authority, ...output]);
}

const serial = () =>
  `0x${Buffer.from(crypto.getRandomValues(new Uint8Array(15)))
    .toString('hex')
    .replace(/^/, '1')}`;

export const pemBase64 = async (path: string): Promise<string> => (await readFile(path)).toString('base64');
