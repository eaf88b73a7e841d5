import { mkdir, rename, writeFile } from 'node:fs/promises';
import { certificate, clients, pemBase64, privateKey } from './certificates.ts';
import { apiServer, inState, kubeconfigFile } from './settings.ts';

/** The kubeconfig of one part; it holds its certificate, so the file can be moved. */
export const kubeconfigOf = (name: string): string => inState('kubeconfig', name);

/** All but the user's, which is written last: its presence says that the cluster once came up. */
export async function writeKubeconfigs(): Promise<void> {
  await mkdir(inState('kubeconfig'), { recursive: true, mode: 0o700 });
  for (const { name } of clients) {
    const content = await kubeconfig(name);
    await writeFile(name === 'admin' ? startingKubeconfig : kubeconfigOf(name), content, { mode: 0o600 });
  }
}

/** The administrator's, while the cluster is still coming up. */
export const startingKubeconfig = `${kubeconfigFile}.starting`;

export const publishKubeconfig = (): Promise<void> => rename(startingKubeconfig, kubeconfigFile);

async function kubeconfig(name: string): Promise<string> {
  const [ca, crt, key] = await Promise.all([certificate('ca'), certificate(name), privateKey(name)].map(pemBase64));
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'kling', cluster: { server: apiServer, 'certificate-authority-data': ca } }],
    users: [{ name, user: { 'client-certificate-data': crt, 'client-key-data': key } }],
    contexts: [{ name: 'kling', context: { cluster: 'kling', user: name } }],
    'current-context': 'kling',
  });
}
