/** One case: a namespace, an operator scoped to it (by the chart), and the KlingApis that the case applies. */
import { randomBytes } from 'node:crypto';
import { stringify } from 'yaml';
import { getJson, helm, type Json, kubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

export const CHART = 'charts/kling-operator';

/** Values for images that were loaded into the test cluster; with another tag than `dev`, trees can share one. */
export const LOCAL_IMAGES = [
  '--set',
  'image.registry=localhost',
  '--set',
  `image.tag=${process.env['E2E_IMAGE_TAG'] ?? 'dev'}`,
  '--set',
  'image.pullPolicy=Never',
];

export interface Case {
  namespace: string;
  apply(spec: Record<string, unknown>, name?: string): Promise<void>;
  klingApi(name?: string): Promise<Json>;
  /** Waits for Ready and for three of three checks. */
  ready(name?: string, timeoutMs?: number): Promise<Json>;
  mcpPods(name?: string): Promise<Json[]>;
  pods(): Promise<Json[]>;
  /** Waits for a repair that ended. @returns its record */
  repaired(count?: number, name?: string, timeoutMs?: number): Promise<Json>;
  callerKey(name?: string): Promise<string>;
  exec(pod: string, script: string): Promise<string>;
  mcpUrl(name?: string): string;
  /** Installs the operator's chart anew, with these values on top of those that every case has. */
  upgrade(values: string[]): Promise<void>;
  remove(): Promise<void>;
}

export interface CaseOptions {
  /** Operators without election, installed side by side. */
  operators?: number;
  /** Values of the chart, as `key=value`. */
  values?: string[];
}

export const podIsReady = (pod: Json): boolean =>
  pod.status?.conditions?.some((entry: Json) => entry.type === 'Ready' && entry.status === 'True') === true;
export const condition = (object: Json, type: string): Json | undefined =>
  object.status?.conditions?.find((entry: Json) => entry.type === type);
export const alive = (pods: Json[]): Json[] => pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);

const chart = (namespace: string, values: string[]): string[] => [
  CHART,
  '-n',
  namespace,
  ...LOCAL_IMAGES,
  // one operator is enough where no test is about two
  ...['scope=namespace', 'crds.install=false', 'replicas=1', ...values].flatMap((value) => ['--set', value]),
];

export async function createCase(title: string, options: CaseOptions = {}): Promise<Case> {
  const namespace = `e2e-${title}-${randomBytes(3).toString('hex')}`;
  await kubectl(['create', 'namespace', namespace]);
  await kubectl([
    'label',
    'namespace',
    namespace,
    'pod-security.kubernetes.io/enforce=restricted',
    'klingapi.dev/e2e=true',
  ]);
  const operators = options.operators ?? 1;
  for (let index = 1; index <= operators; index += 1) {
    const release = operators === 1 ? 'operator' : `operator-${index}`;
    const election = operators === 1 ? [] : ['leaderElection.enabled=false'];
    await helm(['install', release, ...chart(namespace, [...election, ...(options.values ?? [])])]);
  }

  const self: Case = {
    namespace,
    async apply(spec, name = 'studio') {
      await kubectl(
        ['apply', '-n', namespace, '-f', '-'],
        // kubectl reads YAML 1.1, in which a bare Off is a boolean
        stringify(
          { apiVersion: 'klingapi.dev/v1alpha1', kind: 'KlingApi', metadata: { name }, spec },
          { version: '1.1' },
        ),
      );
    },
    klingApi: (name = 'studio') => getJson(['get', 'klingapi', name, '-n', namespace]),
    ready: (name = 'studio', timeoutMs = 180_000) =>
      waitFor(
        async () => {
          const object = await self.klingApi(name);
          const summary: string | undefined = object.status?.verification?.summary;
          if (condition(object, 'Ready')?.status === 'True' && summary === '3/3') return object;
          throw new Error(
            JSON.stringify(
              object.status?.conditions?.map(
                (entry: Json) => `${entry.type}=${entry.status} ${entry.reason}: ${entry.message}`,
              ) ?? 'no status',
            ),
          );
        },
        { what: `KlingApi ${name} in ${namespace} to be Ready and verified`, timeoutMs, everyMs: 1_000 },
      ),
    async mcpPods(name = 'studio') {
      return (
        await getJson([
          'get',
          'pods',
          '-n',
          namespace,
          '-l',
          `klingapi.dev/name=${name},app.kubernetes.io/component=mcp`,
        ])
      ).items;
    },
    async pods() {
      return (await getJson(['get', 'pods', '-n', namespace])).items;
    },
    repaired: (count = 1, name = 'studio', timeoutMs = 180_000) =>
      waitFor(
        async () => {
          const object = await self.klingApi(name);
          const repairs: Json[] = (object.status?.repairs ?? []).filter((record: Json) => record.outcome !== undefined);
          if (repairs.length >= count) return repairs[0];
          throw new Error(
            JSON.stringify({
              repairs: object.status?.repairs,
              remediation: object.status?.remediation,
              pods: object.status?.mcp?.pods,
            }),
          );
        },
        { what: `${count} finished repairs of ${name} in ${namespace}`, timeoutMs, everyMs: 1_000 },
      ),
    async callerKey(name = 'studio') {
      const secret = await getJson(['get', 'secret', `${name}-callers`, '-n', namespace]);
      return Buffer.from(secret.data.default, 'base64').toString('utf8');
    },
    exec: (pod, script) => kubectl(['exec', '-n', namespace, pod, '-c', 'mcp', '--', '/usr/bin/node', '-e', script]),
    mcpUrl: (name = 'studio') => `http://${name}-mcp.${namespace}.svc:5510/mcp/v1`,
    async upgrade(values) {
      await helm(['upgrade', 'operator', ...chart(namespace, values), '--wait', '--timeout', '120s']);
    },
    async remove() {
      await kubectl(['delete', 'namespace', namespace, '--wait=false']);
    },
  };
  return self;
}

/** The spec most cases start from: a sandbox, and handshakes as often as is allowed. */
export const quick = (
  mcp: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
): Record<string, unknown> => ({
  upstream: { provider: 'Sandbox' },
  mcp: { handshake: { periodSeconds: 3, timeoutSeconds: 2 }, ...mcp },
  ...more,
});
