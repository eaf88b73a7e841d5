/**
 * The operator of this tree, from its sources, against the real API server: for what is decided there and needs no pod to run.
 * It works with the rights that the chart gives for one namespace, by a ServiceAccount of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { CHART } from '../e2e/case.ts';
import { installCrd } from '../e2e/crd.ts';
import { getJson, helm, type Json, kubectl } from '../e2e/kubectl.ts';
import { waitFor } from '../e2e/wait.ts';

export interface LocalOperator {
  namespace: string;
  apply(spec: Record<string, unknown>, name: string): Promise<void>;
  get(kind: string, name: string): Promise<Json>;
  /** Kinds and names of what belongs to one KlingApi, sorted. */
  children(name: string): Promise<string[]>;
  /** Waits until `ask` is true of the object. */
  until(kind: string, name: string, what: string, ask: (object: Json) => boolean, timeoutMs?: number): Promise<Json>;
  stop(): Promise<void>;
}

/** Nothing of that name is on the node: pods are made and never run. */
const IMAGE = 'localhost/none:dev';
const KINDS =
  'deployments,statefulsets,services,serviceaccounts,secrets,persistentvolumeclaims,poddisruptionbudgets,networkpolicies,horizontalpodautoscalers,ingresses';

/** The cluster as the ServiceAccount `operator` of `namespace` sees it. */
async function kubeconfigOf(namespace: string, token: string): Promise<string> {
  const admin = parse(await kubectl(['config', 'view', '--raw', '--flatten'])) as Json;
  return stringify({
    ...admin,
    contexts: [{ name: 'operator', context: { cluster: admin.clusters[0].name, user: 'operator', namespace } }],
    'current-context': 'operator',
    users: [{ name: 'operator', user: { token } }],
  });
}

/** What the chart would install, without pods and what belongs to them. */
async function installRights(namespace: string): Promise<void> {
  const sets = ['scope=namespace', 'crds.install=false', 'image.registry=localhost', 'serviceAccount.name=operator'];
  const rendered = await helm(['template', 'kling-operator', CHART, '-n', namespace, '--set', sets.join()]);
  const rights = rendered.split(/^---$/m).filter((part) => /^kind: (Role|RoleBinding|ServiceAccount)$/m.test(part));
  await kubectl(['apply', '-n', namespace, '-f', '-'], rights.join('---\n'));
}

export async function startOperator(title: string): Promise<LocalOperator> {
  const namespace = `crd-${title}-${randomBytes(3).toString('hex')}`;
  await helm(['uninstall', 'kling-operator', '-n', 'kling-system', '--ignore-not-found', '--wait']);
  await installCrd();
  await kubectl(['create', 'namespace', namespace]);
  await installRights(namespace);
  const token = (await kubectl(['create', 'token', 'operator', '-n', namespace])).trim();
  const folder = await mkdtemp(join(tmpdir(), 'operator-'));
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, await kubeconfigOf(namespace, token), { mode: 0o600 });

  const lines: string[] = [];
  const child: ChildProcess = spawn(process.execPath, ['operator/src/main.ts'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      KUBECONFIG: kubeconfig,
      HOST: '127.0.0.1',
      MANAGEMENT_PORT: '0',
      WATCH_NAMESPACES: namespace,
      POD_NAMESPACE: namespace,
      LEADER_ELECTION: 'false',
      IMAGE_MCP: IMAGE,
      IMAGE_API: IMAGE,
      IMAGE_SANDBOX: IMAGE,
      IMAGE_PROBE: IMAGE,
      IMAGE_PULL_POLICY: 'Never',
    },
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      lines.push(...text.trimEnd().split('\n'));
      lines.splice(0, lines.length - 30);
    });
  await waitFor(async () => lines.some((line) => line.includes('Controller was started')), {
    what: 'the operator to start',
    timeoutMs: 30_000,
    everyMs: 100,
  }).catch((error: unknown) => Promise.reject(new Error(`${String(error)}\n${lines.join('\n')}`)));

  const self: LocalOperator = {
    namespace,
    async apply(spec, name) {
      await kubectl(
        ['apply', '-n', namespace, '-f', '-'],
        stringify({ apiVersion: 'klingapi.dev/v1alpha1', kind: 'KlingApi', metadata: { name }, spec }),
      );
    },
    get: (kind, name) => getJson(['get', kind, name, '-n', namespace]),
    async children(name) {
      const { items } = await getJson(['get', KINDS, '-n', namespace, '-l', `klingapi.dev/name=${name}`]);
      return items.map((item: Json) => `${item.kind} ${item.metadata.name}`).sort();
    },
    until: (kind, name, what, ask, timeoutMs = 20_000) =>
      waitFor(
        async () => {
          if (child.exitCode !== null) throw new Error(`the operator ended\n${lines.join('\n')}`);
          const object = await self.get(kind, name);
          if (ask(object)) return object;
          throw new Error(JSON.stringify({ spec: object.spec, conditions: object.status?.conditions }));
        },
        { what: `${kind} ${name}: ${what}`, timeoutMs, everyMs: 300 },
      ),
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true });
      await kubectl(['delete', 'namespace', namespace, '--wait=false']);
    },
  };
  return self;
}
