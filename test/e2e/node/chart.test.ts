/** The chart as people use it, from its package: install, test, upgrade, roll back, uninstall, install again, as its README says. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TOOL_NAMES } from '@klingapi/mcp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { play } from '../../docs/play.ts';
import { scriptOf } from '../../docs/script.ts';
import { alive, type Case, CHART, createCase, LOCAL_IMAGES, quick } from '../case.ts';
import { toolsThroughService } from '../client.ts';
import { getJson, helm, type Json, kubectl } from '../kubectl.ts';
import { waitFor } from '../wait.ts';

const OPERATOR = 'app.kubernetes.io/name=kling-operator';
/** With images of another tag, trees share one cluster, and the definition is not this one's to change. */
const SHARED = LOCAL_IMAGES.every((value) => value !== 'image.tag=dev');
const script = await scriptOf('charts/kling-operator/README.md');
let kase: Case;
let folder: string;
let chart: string;
/** MCP and API pods of the KlingApi. */
let pods: string[];

beforeAll(async () => {
  kase = await createCase('chart', { operators: 0 });
  folder = await mkdtemp(join(tmpdir(), 'chart-'));
  await helm(['package', CHART, '-d', folder]);
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  chart = join(folder, `kling-operator-${version}.tgz`);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await kase?.remove();
});

/** For the package and the namespace of this case. */
const here = (command: string): string =>
  command
    .replace('charts/kling-operator', chart)
    .replace('kling-system', kase.namespace)
    .replace('--all-namespaces', `-n ${kase.namespace}`)
    .replace('$REGISTRY', 'localhost');
/** The one command of the chart's README that begins so, and what this case adds to it. */
const type = async (beginning: string, ...more: string[]): Promise<string> =>
  (await play([[here(script.command(beginning)), ...more].join(' ')])).stdout;
const wait = ['--wait', '--timeout=240s'];
/** A definition that is there may be of an earlier test. */
const install = () =>
  type(
    'helm install',
    ...LOCAL_IMAGES,
    ...['--set', `scope=namespace,crds.install=${!SHARED}`, '--take-ownership', '--force-conflicts', ...wait],
  );
const upgrade = (...sets: string[]) => type('helm upgrade', ...wait, ...sets.flatMap((set) => ['--set', `'${set}'`]));
const test = () => type('helm test', '--logs');

const uids = async (labels: string): Promise<string[]> =>
  alive((await getJson(['get', 'pods', '-n', kase.namespace, '-l', labels])).items)
    .map((pod: Json) => pod.metadata.uid)
    .sort();
const servicePods = async () => [
  ...(await uids('klingapi.dev/name=studio,app.kubernetes.io/component=mcp')),
  ...(await uids('klingapi.dev/name=studio,app.kubernetes.io/component=api')),
];
const serves = async () =>
  expect(await toolsThroughService(kase.namespace, kase.mcpUrl(), await kase.callerKey())).toEqual([...TOOL_NAMES]);

async function logLevel(): Promise<string> {
  const { spec } = await getJson(['get', 'deployment/kling-operator', '-n', kase.namespace]);
  return spec.template.spec.containers[0].env.find(({ name }: Json) => name === 'LOG_LEVEL').value;
}

/** An operator looked at the KlingApi after this was asked for, and left its pods alone. */
async function worksOn(minHealthySeconds: number): Promise<void> {
  const patch = JSON.stringify({ spec: { remediation: { minHealthySeconds } } });
  await kubectl(['patch', 'klingapi', 'studio', '-n', kase.namespace, '--type=merge', '-p', patch]);
  await waitFor(
    async () => {
      const { metadata, status } = await kase.klingApi();
      return status.observedGeneration === metadata.generation;
    },
    { what: 'an operator to see the change', timeoutMs: 60_000 },
  );
  await kase.ready();
  expect(await servicePods()).toEqual(pods);
}

it('installs two operators under Pod Security restricted, of which a drain takes one', async () => {
  await install();
  expect(await uids(OPERATOR)).toHaveLength(2);
  await waitFor(
    async () =>
      (await getJson(['get', 'pdb', 'kling-operator', '-n', kase.namespace])).status?.disruptionsAllowed === 1,
    { what: 'the budget to allow one', timeoutMs: 30_000 },
  );
  if (!SHARED) {
    const { metadata } = await getJson(['get', 'crd', 'klingapis.klingapi.dev']);
    expect(metadata.annotations).toMatchObject({
      'helm.sh/resource-policy': 'keep',
      'meta.helm.sh/release-namespace': kase.namespace,
    });
  }
  // a starved machine is not what this is about
  await kase.apply(quick({}, { remediation: { mode: 'Off' } }));
  await kase.ready();
  pods = await servicePods();
  expect(pods).toHaveLength(3);
});

it('helm test does a handshake with a KlingApi of its own and leaves nothing', async () => {
  const said = await test();
  expect(said).toContain('readyz: 200 {"ok":true,"problems":[]}');
  expect(said).toMatch(/^Serving: /m);
  await waitFor(async () => (await getJson(['get', 'klingapi', '-n', kase.namespace])).items.length === 1, {
    what: 'the KlingApi of the test to go',
    timeoutMs: 60_000,
  });
  await waitFor(
    async () => !(await kubectl(['get', 'pods,pvc', '-n', kase.namespace])).includes('test-kling-operator'),
    {
      what: 'its pods and its volume to go',
      timeoutMs: 90_000,
    },
  );
});

it('helm test fails where a KlingApi that it is told of does not serve', async () => {
  const klingApi = 'tests.klingApis[0]';
  await upgrade('tests.sandbox=false', 'tests.timeoutSeconds=15', `${klingApi}.name=nobody`);
  await expect(test()).rejects.toThrow(/nobody-handshake/);
  const { items } = await getJson(['get', 'pods', '-n', kase.namespace]);
  const failed = items.find(({ metadata }: Json) => metadata.name.startsWith('nobody-handshake-'));
  expect(failed.status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
  await upgrade('tests.timeoutSeconds=60', `${klingApi}.name=studio`);
  expect(await test()).toMatch(/^Serving: /m);
});

it('upgrades to other values, and the pods of the service stay', async () => {
  const before = await uids(OPERATOR);
  await upgrade('logLevel=debug');
  expect(await logLevel()).toBe('debug');
  const after = await uids(OPERATOR);
  expect(after).toHaveLength(2);
  expect(after.filter((uid) => before.includes(uid))).toEqual([]);
  await worksOn(299);
});

it('rolls back', async () => {
  await type('helm rollback', ...wait);
  expect(await logLevel()).toBe('info');
  await worksOn(298);
});

it('is uninstalled: the definition, the KlingApi and its pods stay and serve', async () => {
  await type('helm uninstall', '--wait');
  expect(await uids(OPERATOR)).toEqual([]);
  expect(await kubectl(['get', 'role,rolebinding,service,pdb', '-n', kase.namespace])).not.toContain('kling-operator');
  expect((await getJson(['get', 'crd', 'klingapis.klingapi.dev'])).metadata.deletionTimestamp).toBeUndefined();
  expect((await kase.klingApi()).metadata.deletionTimestamp).toBeUndefined();
  expect(await servicePods()).toEqual(pods);
  await serves();
});

it('is installed again and takes them over as they are', async () => {
  await install();
  await worksOn(297);
  await serves();
});

it('removes everything in the order that is told', async () => {
  await type('kubectl delete klingapis');
  await waitFor(async () => (await servicePods()).length === 0, { what: 'the pods to go', timeoutMs: 90_000 });
  await type('helm uninstall', '--wait');
  await waitFor(
    async () => {
      const left = await kubectl(['get', 'pods,services,secrets', '-n', kase.namespace, '-o', 'name']);
      if (!/studio|metrics|kling-operator-/.test(left)) return true;
      throw new Error(left);
    },
    { what: 'all to go', timeoutMs: 90_000 },
  );
});
