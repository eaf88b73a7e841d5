/** What Argo CD and Flux see of a KlingApi, by their own libraries, and whether the examples for them hold together. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { everyState } from '../../operator/src/status/every-state.testing.ts';
import { kstatus, type StatusBearer } from '../../operator/src/status/kstatus.testing.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { runCommand } from '../../scripts/images/run-command.ts';
import { tools } from '../cluster/tools.ts';
import { readPages } from '../docs/pages.ts';
import { documentedResources } from '../docs/resources.ts';
import { isTheirs, problemsByDefinition } from '../gitops/definitions.ts';
import { type Answer, healthCheck, judge } from '../gitops/judge.ts';

const EXAMPLES = join(import.meta.dirname, '../../docs/examples/gitops');

type Condition = { type: string; status: string; reason: string; message: string };
const condition = (type: string, reason: string, status = 'True'): Condition => ({
  ...{ type, status, reason, message: `it is ${reason}` },
});
const looked = (...conditions: Condition[]) => ({
  ...{ apiVersion: 'klingapi.dev/v1alpha1', kind: 'KlingApi' },
  metadata: { name: 'studio', namespace: 'media', generation: 2 },
  status: { observedGeneration: 2, conditions },
});
const ready = condition('Ready', 'Ready');
const down = condition('Ready', 'SessionManagerDown', 'False');

/** Each kind of state that somebody who watches a deployment can meet. */
const STATES: Readonly<Record<string, ReturnType<typeof looked>>> = {
  'just made': { ...looked(), status: { observedGeneration: -1, conditions: [] } },
  'a new spec that nobody looked at': {
    ...looked(ready),
    metadata: { name: 'studio', namespace: 'media', generation: 3 },
  },
  starting: looked(condition('Ready', 'NoPod', 'False'), condition('Reconciling', 'RollingOut')),
  serving: looked(ready),
  'serving, one pod slow': looked(ready, condition('Degraded', 'Slow')),
  'a pod is repaired, others serve': looked(
    ready,
    condition('Degraded', 'HttpError'),
    condition('Reconciling', 'Repairing'),
  ),
  'all pods are repaired': looked(down, condition('Degraded', 'HttpError'), condition('Reconciling', 'Repairing')),
  'down, and repairs are held back': looked(
    down,
    condition('Degraded', 'StormActive'),
    condition('StormActive', 'StormActive'),
  ),
  'a Secret is missing': looked(
    condition('Ready', 'MissingSecret', 'False'),
    condition('Reconciling', 'MissingSecret'),
  ),
  'rolled back': looked(ready, condition('Stalled', 'RolledBack')),
  'repairs exhausted, one pod serves': looked(ready, condition('RemediationExhausted', 'BudgetSpent')),
  'repairs exhausted, none serves': looked(
    down,
    condition('RemediationExhausted', 'BudgetSpent'),
    condition('Stalled', 'RemediationExhausted'),
  ),
  'paused while it serves': looked(ready, condition('Paused', 'Paused')),
  'paused while it is down': looked(down, condition('Paused', 'Paused')),
};

describe('what deployers make of a KlingApi', () => {
  let script = '';
  let answers: readonly Answer[] = [];
  beforeAll(async () => {
    script = await healthCheck();
    answers = await judge(Object.values(STATES), script);
  }, 600_000);

  it('in each kind of state', () => {
    const rows = Object.keys(STATES).map((name, index) => {
      const { argo, kstatus } = answers[index]!;
      return `${name.padEnd(36)}${argo.status.padEnd(12)}${kstatus.status.padEnd(12)}${argo.message}`;
    });
    expect(`\n${rows.join('\n')}\n`).toMatchInlineSnapshot(`
      "
      just made                           Progressing InProgress  the operator has not looked at this spec yet
      a new spec that nobody looked at    Progressing InProgress  the operator has not looked at this spec yet
      starting                            Progressing InProgress  RollingOut: it is RollingOut
      serving                             Healthy     Current     Ready: it is Ready
      serving, one pod slow               Healthy     Current     Ready: it is Ready
      a pod is repaired, others serve     Progressing InProgress  Repairing: it is Repairing
      all pods are repaired               Progressing InProgress  Repairing: it is Repairing
      down, and repairs are held back     Degraded    InProgress  StormActive: it is StormActive
      a Secret is missing                 Progressing InProgress  MissingSecret: it is MissingSecret
      rolled back                         Degraded    Failed      RolledBack: it is RolledBack
      repairs exhausted, one pod serves   Degraded    Current     BudgetSpent: it is BudgetSpent
      repairs exhausted, none serves      Degraded    Failed      RemediationExhausted: it is RemediationExhausted
      paused while it serves              Suspended   Current     Paused: it is Paused
      paused while it is down             Suspended   InProgress  Paused: it is Paused
      "
    `);
  });

  it('is what docs/gitops.md says', async () => {
    const page = await readFile(join(EXAMPLES, '../../gitops.md'), 'utf8');
    for (const [index, name] of Object.keys(STATES).entries()) {
      const { argo, kstatus } = answers[index]!;
      expect(page).toContain(`| ${name} | ${argo.status} | ${kstatus.status} |`);
    }
  });

  it('is not made up where the check breaks: its own words are told', async () => {
    await expect(judge([looked(ready)], 'return nil')).rejects.toThrow(
      /ended with 1:\n.*the health check gave a nil and no table/,
    );
  });

  it('in every state: Flux as our own reading of kstatus says, Argo CD never gladder than Flux', {
    timeout: 120_000,
  }, async () => {
    const lists = everyState.flatMap(({ list }) => [list, list.filter(({ type }) => type !== 'Paused')]);
    // what they judge by are types and their status
    const different = new Map(lists.map((list) => [list.map(({ type, status }) => `${type}=${status}`).join(), list]));
    expect(different.size).toBeGreaterThan(100);
    const objects = [...different.values()].map((conditions) => ({
      ...looked(),
      status: { observedGeneration: 2, conditions },
    }));
    const all = await judge(objects, script);
    expect(all.length).toBe(objects.length);
    const pairs = new Set<string>();
    for (const [index, { argo, kstatus: flux }] of all.entries()) {
      const object = objects[index]!;
      const bearer: StatusBearer = object;
      if (flux.status !== kstatus(bearer)) expect.fail(`${flux.status} of ${JSON.stringify(object.status)}`);
      if (argo.message.length < 5) expect.fail(`no message of ${JSON.stringify(object.status)}`);
      pairs.add(`${argo.status} ${flux.status}`);
    }
    for (const pair of ['Healthy Failed', 'Healthy InProgress', 'Progressing Failed'])
      expect(pairs).not.toContain(pair);
    expect([...pairs].sort()).toMatchInlineSnapshot(`
      [
        "Degraded Current",
        "Degraded Failed",
        "Degraded InProgress",
        "Healthy Current",
        "Progressing InProgress",
        "Suspended Current",
        "Suspended Failed",
        "Suspended InProgress",
      ]
    `);
  });
});

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
const objectsIn = async (file: string) =>
  parseAllDocuments(await readFile(join(EXAMPLES, file), 'utf8')).map((document) => document.toJS() as unknown);

describe('objects for Argo CD and Flux, on pages and in examples', () => {
  it('are such as the definitions of these projects take, without an unknown field', { timeout: 900_000 }, async () => {
    const theirs = (await documentedResources(await readPages())).filter(({ object }) => isTheirs(object.apiVersion));
    expect([...new Set(theirs.map(({ object }) => object.kind))].sort()).toEqual([
      'Application',
      'GitRepository',
      'HelmRelease',
      'Kustomization',
      'OCIRepository',
    ]);
    const problems = await problemsByDefinition(theirs.map(({ object }) => object));
    expect(theirs.flatMap(({ from }, index) => problems[index]!.map((problem) => `${from}: ${problem}`))).toEqual([]);
  });

  it('that are none are found', { timeout: 900_000 }, async () => {
    const of = (apiVersion: string, kind: string, spec: object, more: object = {}) => ({
      ...{ apiVersion, kind, spec },
      metadata: { name: 'media', namespace: 'argocd', ...more },
    });
    const application = {
      project: 'default',
      source: { repoURL: 'https://git.example.com/team/media.git', pth: 'klingapis' },
      destination: { server: 'https://kubernetes.default.svc' },
      syncPolicy: { automated: { prune: 'yes' } },
    };
    const release = { interval: 'soon', upgrade: { remediation: { strategy: 'hope' } } };
    expect(
      await problemsByDefinition([
        of('argoproj.io/v1alpha1', 'Application', application, { lables: {} }),
        of('helm.toolkit.fluxcd.io/v2', 'HelmRelease', release),
        of('helm.toolkit.fluxcd.io/v3', 'HelmRelease', {}),
      ]),
    ).toMatchInlineSnapshot(`
      [
        [
          "metadata.lables: there is no such field",
          "spec.source.pth: there is no such field",
          "spec.syncPolicy.automated.prune: Invalid value: "string": spec.syncPolicy.automated.prune in body must be of type boolean: "string"",
        ],
        [
          "spec.interval: Invalid value: "soon": spec.interval in body should match '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$'",
          "spec.upgrade.remediation.strategy: Unsupported value: "hope": supported values: "rollback", "uninstall"",
          "spec: Invalid value: either chart or chartRef must be set",
        ],
        [
          "there is no definition of helm.toolkit.fluxcd.io/v3 HelmRelease",
        ],
      ]
    `);
  });
});

describe('the examples', () => {
  it('name their objects, the version of this tree, and one registry', async () => {
    for (const folder of ['argocd', 'flux']) {
      for (const file of await readdir(join(EXAMPLES, folder))) {
        const objects = await objectsIn(join(folder, file));
        for (const object of objects) expect(objectSchema.safeParse(object).error, file).toBeUndefined();
      }
      const text = await readFile(join(EXAMPLES, folder, 'operator.yaml'), 'utf8');
      expect(text).toContain('registry.example.com/team/charts');
      const series = packageJson.version.replace(/\d+$/, '');
      expect(/(?:targetRevision|semver): (\S+)/.exec(text)?.[1]?.startsWith(series)).toBe(true);
    }
  });

  it('for kustomize can be built', async () => {
    const { kubectl } = await tools();
    const built = await runCommand(kubectl, ['kustomize', join(EXAMPLES, 'kustomize')]);
    expect(built).toMatchInlineSnapshot(`
      "apiVersion: klingapi.dev/v1alpha1
      kind: KlingApi
      metadata:
        name: studio
        namespace: media
      spec:
        mcp:
          replicas: 3
        upstream:
          provider: Sandbox
      "
    `);
  });
});
