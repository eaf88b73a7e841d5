/** The README and the quickstart, word for word, for the whole cluster. Runs alone: this operator sees every namespace. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { bundlePlugin } from '../../../scripts/bundle/plugin.ts';
import { ROOT } from '../../docs/pages.ts';
import { type PlayOptions, play } from '../../docs/play.ts';
import { scriptOf } from '../../docs/script.ts';
import { createAuthority } from '../../ingress/authority.ts';
import { removeController, startController } from '../../ingress/controller.ts';
import { installGatewayApi, removeGatewayApi } from '../../ingress/gateway-api.ts';
import { getJson, helm, kubectl } from '../kubectl.ts';

const readme = await scriptOf('README.md');
const quickstart = await scriptOf('docs/quickstart.md');
const concepts = await scriptOf('docs/concepts.md');
let folder: string;
let options: PlayOptions;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kling-readme-'));
  const programs = [join(folder, 'bin')];
  await bundlePlugin(ROOT, join(folder, 'bin'));
  options = { adapt, programs, env: { REGISTRY: 'localhost' } };
});
afterEach(async () => {
  await kubectl(['delete', 'klingapis', '--all', '-n', 'media', '--ignore-not-found', '--timeout=60s']);
  for (const namespace of ['media', 'kling-system']) {
    await helm(['uninstall', 'kling-operator', '-n', namespace, '--ignore-not-found', '--wait']);
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=240s'], undefined, 250_000);
  }
}, 600_000);
afterAll(() => rm(folder, { recursive: true }));

/** Images are in the node already, under another tag; a CRD of an earlier test may be there. */
function adapt(command: string): string {
  if (command.startsWith('helm install'))
    return `${command} --set image.tag=dev ${command.includes('crds.install=false') ? '' : '--take-ownership --force-conflicts'}`;
  return command.replace('kubectl apply --server-side', 'kubectl apply --server-side --force-conflicts');
}

it('the README: it installs in four lines, and shows what it says it shows', async () => {
  await play(readme.commands('Install it'), options);
  await kubectl(
    ['wait', 'klingapi/studio', '-n', 'media', '--for=condition=Ready', '--timeout=5m'],
    undefined,
    330_000,
  );
  const text = await readFile(readme.path, 'utf8');
  const [, head = '', row = ''] = /^\$ kubectl get klingapis -n media\n(.*)\n(.*)$/m.exec(text) ?? [];
  const [seenHead = '', seenRow = ''] = (await kubectl(['get', 'klingapis', '-n', 'media'])).split('\n');
  const cells = (line: string): string[] => line.trim().split(/\s+/);
  expect(cells(seenHead)).toEqual(cells(head));
  expect(cells(seenRow).slice(0, -1)).toEqual(cells(row).slice(0, -1));
});

it('the quickstart on an existing cluster: the key, a handshake, a picture, a Secret of the vendor; then the report', async () => {
  const { stdout } = await play(
    [
      ...quickstart.commands('On an existing cluster', 'Use it', 'With a key of the vendor'),
      'printf "\\n%s\\n" "$KEY"',
    ],
    options,
  );
  const secret = await getJson(['get', 'secret', 'studio-callers', '-n', 'media']);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(Buffer.from(secret.data.default, 'base64').toString('utf8'));
  expect(stdout).toContain('Serving');
  expect(stdout).toMatch(/"kind":"text-to-image"/);
  expect((await getJson(['get', 'pods', '-n', 'kling-system'])).items).toHaveLength(2);

  const repair = concepts.commands().map((command) =>
    // nothing was repaired yet, and it says so
    command.includes('kubectl-kling report') ? `(${command}) 2>&1 || true` : command,
  );
  expect((await play(repair, options)).stdout).toContain('KlingApi studio was never repaired');
});

it('three commands to a picture through an MCP client over TLS, with an ingress controller there', async () => {
  const host = 'kling.example.com';
  const authority = await createAuthority();
  try {
    const tls = await authority.issue([host]);
    const [certificate, key, ca, picture] = ['tls.crt', 'tls.key', 'ca.crt', 'kite.png'].map((name) =>
      join(folder, name),
    );
    await Promise.all([
      writeFile(`${certificate}`, tls.certificate),
      writeFile(`${key}`, tls.key),
      writeFile(`${ca}`, authority.certificate),
    ]);
    await installGatewayApi();
    for (const namespace of ['media', 'edge']) await kubectl(['create', 'namespace', namespace]);
    const controller = await startController('edge', { hosts: ['edge-tls'], tls });
    await kubectl([
      'annotate',
      'ingressclass',
      controller.className,
      'ingressclass.kubernetes.io/is-default-class=true',
    ]);
    // cert-manager's part
    await kubectl(['create', 'secret', 'tls', 'studio-tls', '-n', 'media', `--cert=${certificate}`, `--key=${key}`]);

    const typed = quickstart.commands('From outside, over TLS');
    expect(typed).toHaveLength(3);
    const { stderr } = await play(
      typed.map((command) =>
        command.replace(
          '-f kite.png',
          `-f ${picture} --certificate-authority ${ca} --resolve ${host}:443:${controller.address}`,
        ),
      ),
      options,
    );
    expect(stderr).toContain(`https://${host}/mcp/v1 over its public address`);
    const { width, height } = PNG.sync.read(await readFile(`${picture}`));
    expect(width * height).toBeGreaterThan(100_000);
  } finally {
    await removeController('edge');
    await removeGatewayApi();
    await authority.remove();
  }
});

it('the quickstart in one namespace makes no ClusterRole', async () => {
  await play(quickstart.commands('In one namespace'), options);
  const roles = await kubectl(['get', 'clusterroles,clusterrolebindings', '-o', 'name']);
  expect(roles).not.toContain('kling-operator');
  expect(
    (await getJson(['get', 'pods', '-n', 'media', '-l', 'app.kubernetes.io/name=kling-operator'])).items,
  ).toHaveLength(2);
});
