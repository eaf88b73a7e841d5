/** A certificate authority of the test's own, by openssl. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../cluster/command.ts';

export interface Pair {
  certificate: string;
  key: string;
}

export interface Authority {
  /** In PEM. */
  certificate: string;
  /** A server's certificate for these host names. */
  issue(hosts: readonly string[]): Promise<Pair>;
  /** Removes its key. */
  remove(): Promise<void>;
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export async function createAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'kling-authority-'));
  const file = (name: string): string => join(folder, name);
  const subject = ['-subj', '/CN=kling-test-authority', '-days', '2'];
  await run('openssl', ['req', '-x509', ...CURVE, ...subject, '-keyout', file('ca.key'), '-out', file('ca.crt')]);
  let issued = 0;
  return {
    certificate: await readFile(file('ca.crt'), 'utf8'),
    async issue(hosts) {
      issued += 1;
      const own = file(String(issued));
      const [request, key, certificate, extensions] = [`${own}.csr`, `${own}.key`, `${own}.crt`, `${own}.ext`];
      await run('openssl', ['req', ...CURVE, '-subj', '/CN=kling-test', '-keyout', key, '-out', request]);
      await writeFile(extensions, `subjectAltName=${hosts.map((host) => `DNS:${host}`).join()}\n`);
      const signer = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '2'];
      await run('openssl', ['x509', '-req', '-in', request, ...signer, '-extfile', extensions, '-out', certificate]);
      return { certificate: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
