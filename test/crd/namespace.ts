/** A namespace for the tests of one file, on the real API server and under the CRD of this tree. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { installCrd } from '../e2e/crd.ts';
import { kubectl } from '../e2e/kubectl.ts';

export function useNamespace(title: string): string {
  const namespace = `crd-${title}-${randomBytes(3).toString('hex')}`;
  beforeAll(async () => {
    await installCrd();
    await kubectl(['create', 'namespace', namespace]);
  });
  afterAll(() => kubectl(['delete', 'namespace', namespace, '--wait=false']));
  return namespace;
}
