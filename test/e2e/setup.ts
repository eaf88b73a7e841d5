/** What all cases take for granted: the CRD of this tree, and no operator that sees every namespace (a demo that was kept leaves one). */
import { installCrd } from './crd.ts';
import { helm } from './kubectl.ts';

export default async function setup(): Promise<void> {
  await helm(['uninstall', 'kling-operator', '-n', 'kling-system', '--ignore-not-found', '--wait']);
  await installCrd();
}
