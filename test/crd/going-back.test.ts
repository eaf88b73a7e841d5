/**
 * Going back to an older version of the chart, on the real API server and with the oldest Helm and the newest: the command of
 * docs/upgrading.md leaves the newer definition alone, and a rollback does not. With a definition of its own in the place of
 * that of KlingApis, which all tests share; no pod runs.
 */
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { kubeconfigPath, oldestHelm, tools } from '../cluster/index.ts';
import { pageCommands } from '../docs/commands.ts';
import { pageOf, readPages } from '../docs/pages.ts';
import { CHART } from '../e2e/case.ts';
import { getJson, type Json, kubectl, run } from '../e2e/kubectl.ts';
import { waitFor } from '../e2e/wait.ts';

const HELMS = [
  { title: 'Helm 4', program: (await tools()).helm, force: ['--force-conflicts'] },
  { title: 'Helm 3', program: await oldestHelm(), force: [] },
];
const OLDER = '0.0.1';
const NEWER = '0.0.2';
const CRD = 'templates/crd.yaml';
const VALUES = ['image.registry=localhost', 'replicas=0', 'scope=namespace', 'leaderElection.enabled=false'];
const byHand = pageCommands(pageOf(await readPages(), 'docs/upgrading.md')).filter(
  ({ heading }) => heading === 'Back again',
);

/** Of kind Thing, where the chart has that of KlingApis, with the same words around it. */
async function chartOf(folder: string, version: string, group: string, fields: readonly string[]): Promise<string> {
  const chart = join(folder, version);
  await cp(CHART, chart, { recursive: true });
  const metadata = await readFile(join(chart, 'Chart.yaml'), 'utf8');
  await writeFile(join(chart, 'Chart.yaml'), metadata.replace(/^version: .*$/m, `version: ${version}`));
  const [head = ''] = (await readFile(join(chart, CRD), 'utf8')).split(/^spec:$/m);
  const properties = Object.fromEntries(fields.map((field) => [field, { type: 'string' }]));
  const spec = {
    group,
    scope: 'Namespaced',
    names: { kind: 'Thing', listKind: 'ThingList', plural: 'things', singular: 'thing' },
    versions: [
      {
        ...{ name: 'v1', served: true, storage: true },
        schema: {
          openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } },
        },
      },
    ],
  };
  const own = `${head.replace('klingapis.klingapi.dev', `things.${group}`)}${stringify({ spec })}{{- end }}\n`;
  await writeFile(join(chart, CRD), own);
  return chart;
}

describe.each(HELMS)('$title', ({ program, force }) => {
  const id = randomBytes(3).toString('hex');
  const namespace = `crd-back-${id}`;
  const group = `back-${id}.klingapi.dev`;
  const crd = `things.${group}`;
  let folder: string;
  let older: string;
  let newer: string;

  async function helm(...args: string[]): Promise<string> {
    const env = { KUBECONFIG: await kubeconfigPath() };
    const { code, stdout, stderr } = await run(program ?? 'helm', args, { env });
    if (code !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr}`);
    return stdout;
  }
  const sets = VALUES.flatMap((value) => ['--set', value]);
  const upgrade = (...args: string[]) =>
    helm('upgrade', 'kling-operator', newer, '-n', namespace, '--reset-then-reuse-values', ...args);
  /** Which version of the chart wrote it last. */
  const writerOf = (object: Json): string => object.metadata.labels['helm.sh/chart'];
  const definition = (): Promise<Json> => getJson(['get', 'crd', crd]);
  const operator = (): Promise<Json> => getJson(['get', 'deployment', 'kling-operator', '-n', namespace]);
  /** Written anew, as any controller does, the object loses what the definition does not know. */
  async function written(): Promise<Json> {
    const now = `at=${randomBytes(3).toString('hex')}`;
    await kubectl(['label', crd, 'thing', now, '-n', namespace, '--overwrite']);
    return (await getJson(['get', crd, 'thing', '-n', namespace])).spec;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'going-back-'));
    older = await chartOf(folder, OLDER, group, ['first']);
    newer = await chartOf(folder, NEWER, group, ['first', 'second']);
    await kubectl(['create', 'namespace', namespace]);
  });
  afterAll(async () => {
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
    await kubectl(['delete', 'crd', crd, '--ignore-not-found', '--wait=false']);
    await rm(folder, { recursive: true });
  });

  it('goes back to the older operator under the newer definition', async () => {
    const template = await helm('template', 'kling-operator', older, '-n', namespace, ...sets, '--show-only', CRD);
    await kubectl(['apply', '--server-side', '-f', '-'], template.replace(`kling-operator-${OLDER}`, 'by-hand'));
    await helm('install', 'kling-operator', older, '-n', namespace, ...sets, '--take-ownership', ...force);
    expect(writerOf(await definition())).toBe(`kling-operator-${OLDER}`);
    // what was the same is shared with whoever applied it before, until one changes it by force
    if (force.length > 0) await expect(upgrade()).rejects.toThrow('conflict with "kubectl"');
    await upgrade(...force);
    const now = await definition();
    expect(writerOf(now)).toBe(`kling-operator-${NEWER}`);
    expect(now.metadata.annotations).toMatchObject({
      'helm.sh/resource-policy': 'keep',
      'argocd.argoproj.io/sync-options': 'Prune=false',
    });
    const spec = { first: 'a', second: 'b' };
    const thing = JSON.stringify({ apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'thing' }, spec });
    await waitFor(async () => (await kubectl(['apply', '-n', namespace, '-f', '-'], thing)) !== '', {
      what: 'things to be served',
      timeoutMs: 30_000,
    });
    expect(await written()).toEqual(spec);

    expect(byHand).toHaveLength(1);
    const command = byHand[0]!.command
      .replace('oci://ghcr.io/OWNER/charts/kling-operator --version OLDER', older)
      .replace('kling-system', namespace);
    await helm(...command.split(' ').slice(1));
    expect(writerOf(await operator())).toBe(`kling-operator-${OLDER}`);
    expect((await definition()).metadata).toMatchObject({ uid: now.metadata.uid, generation: now.metadata.generation });
    expect(await written()).toEqual(spec);

    await upgrade('--set', 'crds.install=true');
    expect(writerOf(await operator())).toBe(`kling-operator-${NEWER}`);
    expect((await definition()).metadata.generation).toBe(now.metadata.generation);

    // why the page does not go back so
    await helm('rollback', 'kling-operator', '1', '-n', namespace);
    expect(writerOf(await operator())).toBe(`kling-operator-${OLDER}`);
    expect(writerOf(await definition())).toBe(`kling-operator-${OLDER}`);
    await waitFor(async () => (await written()).second === undefined, {
      what: 'the newer field to be lost',
      timeoutMs: 30_000,
    });
  });
});
