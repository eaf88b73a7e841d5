/** A person with few rights: a ServiceAccount, its kubeconfig, and kubectl with the real plugin beside it on PATH. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { bundlePlugin } from '../../scripts/bundle/plugin.ts';
import { tools } from '../cluster/index.ts';
import type { Case } from './case.ts';
import { getJson, kubectl, type RunResult, run } from './kubectl.ts';

export interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

export interface Person {
  /** A line as it is typed. */
  type(
    line: string,
    options?: { env?: Record<string, string>; input?: string; timeoutMs?: number },
  ): Promise<RunResult>;
  /** `kubectl kling …` in the namespace of the case. */
  kling(...args: string[]): Promise<RunResult>;
  folder: string;
  remove(): Promise<void>;
}

/** A Role in the namespace of the case, and nothing in the cluster. */
export async function createPerson(kase: Case, name: string, rules: Rule[]): Promise<Person> {
  const { namespace } = kase;
  const metadata = { name, namespace };
  const objects = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules },
    {
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  ];
  await kubectl(['apply', '-f', '-'], objects.map((object) => stringify(object)).join('---\n'));
  const token = (await kubectl(['create', 'token', name, '-n', namespace, '--duration=2h'])).trim();
  const { clusters } = await getJson(['config', 'view', '--raw', '--minify']);
  const folder = await mkdtemp(join(tmpdir(), 'kubectl-kling-'));
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(
    kubeconfig,
    JSON.stringify({
      ...{ apiVersion: 'v1', kind: 'Config', clusters, 'current-context': 'person' },
      users: [{ name, user: { token } }],
      contexts: [{ name: 'person', context: { cluster: clusters[0].name, user: name, namespace } }],
    }),
    { mode: 0o600 },
  );
  const program = join(folder, 'bin');
  await bundlePlugin(join(import.meta.dirname, '../..'), program);
  const env = {
    KUBECONFIG: kubeconfig,
    PATH: [program, dirname((await tools()).kubectl), dirname(process.execPath), process.env['PATH']].join(delimiter),
  };
  const type: Person['type'] = (line, options = {}) =>
    run('bash', ['-o', 'pipefail', '-c', line], {
      env: { ...env, ...options.env },
      timeoutMs: options.timeoutMs ?? 300_000,
      ...(options.input === undefined ? {} : { input: options.input }),
    });
  return {
    folder,
    type,
    kling: (...args) => run('kubectl', ['kling', ...args], { env, timeoutMs: 300_000 }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
