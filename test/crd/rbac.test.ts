/** What the operator may do, asked of the real API server: in each scope of the chart, with the roles that the chart makes. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { play } from '../docs/play.ts';
import { scriptOf } from '../docs/script.ts';
import { LOCAL_IMAGES } from '../e2e/case.ts';
import { helm, type Json, kubectl, tryKubectl } from '../e2e/kubectl.ts';
import { useNamespace } from './namespace.ts';

const CHART = join(import.meta.dirname, '../../charts/kling-operator');
const script = await scriptOf('docs/rbac.md');
const own = useNamespace('rbac-own');
const [red, blue] = [useNamespace('rbac-red'), useNamespace('rbac-blue')];
const elsewhere = useNamespace('rbac-elsewhere');

interface Mode {
  readonly release: string;
  readonly sets: string[];
  /** Where KlingApis are watched. */
  readonly watched: string[];
  readonly unwatched: string[];
}
const MODES: Record<string, Mode> = {
  'every namespace': { release: `${own}-all`, sets: [], watched: [own, red, elsewhere], unwatched: [] },
  'a list of namespaces': {
    release: 'list',
    sets: ['scope=namespace', `watchNamespaces={${red},${blue}}`],
    watched: [red, blue],
    unwatched: [own, elsewhere],
  },
  "the release's own namespace": {
    release: 'own',
    sets: ['scope=namespace'],
    watched: [own],
    unwatched: [red, blue, elsewhere],
  },
};

async function objects({ release, sets }: Mode): Promise<Json[]> {
  const values = ['image.registry=localhost', 'crds.install=false', ...sets].flatMap((set) => ['--set', set]);
  const yaml = await helm(['template', release, CHART, '--namespace', own, ...values]);
  return parseAllDocuments(yaml)
    .map((document) => document.toJS())
    .filter((object) => /Role|ServiceAccount/.test(object?.kind ?? ''));
}

const CLUSTER_WIDE = ['nodes', 'namespaces', 'clusterroles', 'customresourcedefinitions'];
const SECRET_VERBS = ['list', 'watch', 'update', 'patch', 'delete', 'deletecollection'];

describe.each(Object.entries(MODES))('%s', (_, mode) => {
  let made: Json[];
  let as: string;
  beforeAll(async () => {
    made = await objects(mode);
    await kubectl(['apply', '-f', '-'], made.map((object) => stringify(object)).join('---\n'));
    const account = made.find(({ kind }) => kind === 'ServiceAccount').metadata;
    as = `system:serviceaccount:${account.namespace}:${account.name}`;
  });
  afterAll(() =>
    kubectl(['delete', '--ignore-not-found', '-f', '-'], made.map((object) => stringify(object)).join('---\n')),
  );

  const may = async (verb: string, what: string, namespace?: string, name?: string): Promise<string> => {
    const where = namespace === undefined ? ['--all-namespaces'] : ['-n', namespace];
    const [resource = '', subresource] = what.split('/');
    const asked = name === undefined ? resource : `${resource}/${name}`;
    const part = subresource === undefined ? [] : [`--subresource=${subresource}`];
    const { stdout } = await tryKubectl(['auth', 'can-i', verb, asked, ...part, '--as', as, ...where]);
    return `${verb} ${what} ${name ?? ''} in ${namespace ?? 'all'}: ${stdout.trim()}`;
  };
  const answers = (asked: [string, string, string?, string?][]) => Promise.all(asked.map((each) => may(...each)));
  const allSay = (list: string[], answer: string) =>
    expect(list.filter((line) => !line.endsWith(`: ${answer}`))).toEqual([]);

  it('Secrets are read by name and never listed, watched, changed or deleted', async () => {
    for (const namespace of mode.watched) {
      allSay(await answers([['get', 'secrets', namespace, 'kling']]), 'yes');
      allSay(await answers(SECRET_VERBS.map((verb) => [verb, 'secrets', namespace])), 'no');
    }
    allSay(await answers(SECRET_VERBS.map((verb) => [verb, 'secrets'])), 'no');
  });

  it('what a look needs is allowed where it looks, and nothing is where it does not', async () => {
    const needed: [string, string][] = [
      ['list', 'klingapis.klingapi.dev'],
      ['watch', 'klingapis.klingapi.dev'],
      ['patch', 'klingapis.klingapi.dev/status'],
      ['delete', 'pods'],
      ['patch', 'deployments.apps'],
      ['create', 'events.events.k8s.io'],
    ];
    for (const namespace of mode.watched)
      allSay(await answers(needed.map(([verb, what]) => [verb, what, namespace])), 'yes');
    for (const namespace of mode.unwatched)
      allSay(
        await answers([...needed, ['get', 'secrets'] as const].map(([verb, what]) => [verb, what, namespace])),
        'no',
      );
  });

  it('no more than that: no pods made, no KlingApi changed, no roles, nothing of the cluster', async () => {
    const namespace = mode.watched[0]!;
    allSay(
      await answers([
        ['create', 'pods', namespace],
        ['create', 'pods/exec', namespace],
        ['create', 'pods/eviction', namespace],
        ['patch', 'klingapis.klingapi.dev', namespace],
        ['create', 'rolebindings.rbac.authorization.k8s.io', namespace],
        ['impersonate', 'serviceaccounts', namespace],
        ...CLUSTER_WIDE.flatMap((what): [string, string][] => [
          ['get', what],
          ['list', what],
        ]),
      ]),
      'no',
    );
  });

  it('the Lease is its own, in the namespace of the release alone', async () => {
    const lease = made
      .find(({ metadata }) => metadata.name.endsWith('-leader-election'))
      .metadata.name.replace(/-leader-election$/, '');
    allSay(
      await answers([
        ['update', 'leases.coordination.k8s.io', own, lease],
        ['create', 'leases.coordination.k8s.io', own],
      ]),
      'yes',
    );
    allSay(
      await answers([
        ['update', 'leases.coordination.k8s.io', own, 'another'],
        ['get', 'leases.coordination.k8s.io', elsewhere, lease],
        ['list', 'leases.coordination.k8s.io', own],
      ]),
      'no',
    );
  });
});

it('a list of namespaces is installed as the page says, without any right in the cluster but the definition', async () => {
  const here = (command: string): string =>
    command
      .replace('--namespace kling-system', `--namespace ${own}`)
      .replace('registry.example.com/team', 'localhost')
      .replace('{studio-a,studio-b}', `{${red},${blue}}`);
  const release = ['kling-operator', '--namespace', own];
  try {
    await play([[...script.commands().map(here), ...LOCAL_IMAGES, '--set crds.install=false'].join(' ')]);
    const yaml = await helm(['get', 'manifest', ...release]);
    const made = parseAllDocuments(yaml).flatMap((document): Json[] => document.toJS() ?? []);
    const roles = made
      .filter(({ kind }) => /Role/.test(kind))
      .map(({ kind, metadata }) => `${kind} ${metadata.namespace}`);
    expect([...new Set(roles)].sort()).toEqual(
      [own, red, blue].flatMap((namespace) => [`Role ${namespace}`, `RoleBinding ${namespace}`]).sort(),
    );
    for (const namespace of [red, blue])
      expect(await kubectl(['get', 'roles,rolebindings', '-n', namespace, '-o', 'name'])).toContain('kling-operator');
  } finally {
    await helm(['uninstall', ...release, '--ignore-not-found']);
  }
});

it('with namespaces, the chart makes nothing that is cluster-wide', async () => {
  for (const mode of [MODES['a list of namespaces']!, MODES["the release's own namespace"]!])
    expect((await objects(mode)).filter(({ kind }) => kind.startsWith('Cluster'))).toEqual([]);
  const kinds = (await objects(MODES['a list of namespaces']!)).map(
    ({ kind, metadata }) => `${kind} ${metadata.namespace}`,
  );
  for (const namespace of [red, blue])
    expect(kinds).toEqual(expect.arrayContaining([`Role ${namespace}`, `RoleBinding ${namespace}`]));
});
