/** Names, labels, ports and addresses of what belongs to one KlingApi. */

export type Component = 'mcp' | 'api' | 'sandbox';

export const MANAGED_BY = 'kling-operator';
export const NAME_LABEL = 'klingapi.dev/name';
export const MANAGEMENT_PORT = 9090;
export const API_PORT = 5511;
export const SANDBOX_PORT = 5512;

export const childNames = (name: string) => ({
  mcp: `${name}-mcp`,
  api: `${name}-api`,
  sandbox: `${name}-sandbox`,
  internalSecret: `${name}-internal`,
  callersSecret: `${name}-callers`,
  dataClaim: `${name}-api-data`,
  serviceAccount: name,
});

/** Labels by which a workload selects its pods; they never change. */
export const selectorLabels = (name: string, component: Component): Record<string, string> => ({
  'app.kubernetes.io/instance': name,
  'app.kubernetes.io/component': component,
  [NAME_LABEL]: name,
});

export const childLabels = (name: string, component?: Component): Record<string, string> => ({
  'app.kubernetes.io/name': 'klingapi',
  'app.kubernetes.io/instance': name,
  ...(component === undefined ? {} : { 'app.kubernetes.io/component': component }),
  'app.kubernetes.io/managed-by': MANAGED_BY,
  [NAME_LABEL]: name,
});

/** Every name under which a Service is called inside the cluster, shortest first. */
export const serviceHosts = (service: string, namespace: string): [string, string, string, string] => [
  service,
  `${service}.${namespace}`,
  `${service}.${namespace}.svc`,
  `${service}.${namespace}.svc.cluster.local`,
];

/** The name that the operator and the verification dial. */
export const serviceHost = (service: string, namespace: string): string => `${service}.${namespace}.svc`;
