/** The definitions of Gateway API, as its project publishes them. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { kubectl } from '../e2e/kubectl.ts';
import { moduleFolder } from './traefik.ts';

const definitions = async (): Promise<string[]> => {
  const folder = join(await moduleFolder('sigs.k8s.io/gateway-api'), 'config/crd/standard');
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml'));
  return files.flatMap((file) => ['-f', join(folder, file)]);
};

/** The part of them that is stable. */
export async function installGatewayApi(): Promise<void> {
  const files = await definitions();
  await kubectl(['apply', '--server-side', '--force-conflicts', ...files]);
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...files]);
}

/** With every object of those kinds. */
export async function removeGatewayApi(): Promise<void> {
  await kubectl(['delete', '--ignore-not-found', '--wait', '--timeout=90s', ...(await definitions())]);
}
