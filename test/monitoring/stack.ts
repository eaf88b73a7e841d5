/**
 * The real Prometheus operator and the Prometheus that it runs, in the namespace of one case, with rights there alone. Every
 * ServiceMonitor and PrometheusRule of the namespace counts.
 */
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { getJson, type Json, kubectl } from '../e2e/kubectl.ts';
import { waitFor } from '../e2e/wait.ts';
import { prometheusDefinitions } from './go-programs.ts';
import { loadMonitoringImages, MONITORING_IMAGES } from './images.ts';

const SAMPLES = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.string(),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});
export type Sample = z.output<typeof SAMPLES>['data']['result'][number];

export interface Prometheus {
  /** @throws Error with what Prometheus says of the query */
  query(expr: string): Promise<Sample[]>;
  /** `data` of a page of its API, such as `rules` or `targets?state=active`. */
  data(path: string): Promise<Json>;
}

/** Asked for as often as this: faults are to be seen within seconds. */
const INTERVAL = '2s';

/** Those that a Prometheus is made of; the rest of the Prometheus operator stays off without its kinds. */
const KINDS = ['prometheuses', 'prometheusrules', 'servicemonitors', 'podmonitors', 'probes', 'scrapeconfigs'];

const definitionFiles = async (): Promise<string[]> => {
  const folder = await prometheusDefinitions();
  return KINDS.flatMap((kind) => ['-f', join(folder, `monitoring.coreos.com_${kind}.yaml`)]);
};

/** For as long as they are there, every operator of the cluster makes ServiceMonitors. */
export async function installDefinitions(): Promise<void> {
  const files = await definitionFiles();
  await kubectl(['apply', '--server-side', '--force-conflicts', ...files], undefined, 300_000);
  await kubectl(['wait', '--for=condition=Established', '--timeout=240s', ...files], undefined, 300_000);
}

export const removeDefinitions = async (): Promise<string> =>
  kubectl(
    ['delete', '--ignore-not-found', '--wait', '--timeout=240s', ...(await definitionFiles())],
    undefined,
    300_000,
  );

export async function startPrometheus(namespace: string): Promise<Prometheus> {
  await loadMonitoringImages();
  await kubectl(
    ['apply', '-n', namespace, '-f', '-'],
    manifests(namespace)
      .map((each) => stringify(each))
      .join('---\n'),
  );
  const pod = await waitFor(
    async () => {
      const { items } = await getJson(['get', 'pods', '-n', namespace, '-l', 'app.kubernetes.io/name=prometheus']);
      const ready = items[0]?.status?.conditions?.some((each: Json) => each.type === 'Ready' && each.status === 'True');
      if (ready === true) return items[0];
      const { status } = await getJson(['get', 'prometheus', 'kling', '-n', namespace]);
      throw new Error(JSON.stringify(status?.conditions ?? items[0]?.status?.containerStatuses ?? 'nothing yet'));
    },
    { what: `Prometheus in ${namespace} to be ready`, timeoutMs: 400_000, everyMs: 1_000 },
  );
  return prometheusAt(`http://${pod.status.podIP}:9090`);
}

/** @param address such as http://127.0.0.1:9090 */
export function prometheusAt(address: string): Prometheus {
  const api = `${address}/api/v1`;
  return {
    async query(expr) {
      const reply = await fetch(`${api}/query`, { method: 'POST', body: new URLSearchParams({ query: expr }) });
      const body = await reply.json();
      if (!reply.ok) throw new Error(`${expr}: ${JSON.stringify(body)}`);
      return SAMPLES.parse(body).data.result;
    },
    async data(path) {
      const reply = await fetch(`${api}/${path}`);
      const body: Json = await reply.json();
      if (!reply.ok) throw new Error(`${path}: ${JSON.stringify(body)}`);
      return body.data;
    },
  };
}

const account = (name: string) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
const role = (name: string, rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[]) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
  metadata: { name },
  rules,
});
const binding = (name: string, namespace: string) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
  subjects: [{ kind: 'ServiceAccount', name, namespace }],
});
const OPERATOR = 'prometheus-operator';
const RESTRICTED = {
  runAsNonRoot: true,
  runAsUser: 65532,
  fsGroup: 65532,
  seccompProfile: { type: 'RuntimeDefault' },
} as const;

const manifests = (namespace: string): object[] => [
  account(OPERATOR),
  role(OPERATOR, [
    { apiGroups: ['monitoring.coreos.com'], resources: ['*'], verbs: ['*'] },
    { apiGroups: ['apps'], resources: ['statefulsets'], verbs: ['*'] },
    { apiGroups: [''], resources: ['configmaps', 'secrets', 'services', 'services/finalizers', 'pods'], verbs: ['*'] },
    // its own one, which a Role reaches
    { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
  ]),
  binding(OPERATOR, namespace),
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: OPERATOR },
    spec: {
      selector: { matchLabels: { app: OPERATOR } },
      template: {
        metadata: { labels: { app: OPERATOR } },
        spec: {
          serviceAccountName: OPERATOR,
          securityContext: RESTRICTED,
          containers: [
            {
              name: OPERATOR,
              image: MONITORING_IMAGES.operator,
              imagePullPolicy: 'Never',
              args: [
                `--namespaces=${namespace}`,
                `--prometheus-config-reloader=${MONITORING_IMAGES.reloader}`,
                '--config-reloader-cpu-limit=0',
              ],
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
            },
          ],
        },
      },
    },
  },
  account('prometheus'),
  role('prometheus', [
    { apiGroups: [''], resources: ['services', 'endpoints', 'pods'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
  ]),
  binding('prometheus', namespace),
  {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'Prometheus',
    metadata: { name: 'kling' },
    spec: {
      // that of the module which the Prometheus operator is built with
      version: 'v3.5.0',
      image: MONITORING_IMAGES.prometheus,
      imagePullPolicy: 'Never',
      replicas: 1,
      serviceAccountName: 'prometheus',
      securityContext: RESTRICTED,
      serviceMonitorSelector: {},
      ruleSelector: {},
      scrapeInterval: INTERVAL,
      evaluationInterval: INTERVAL,
    },
  },
];
