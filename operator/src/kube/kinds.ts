/** The kinds this operator speaks about, and where the API server keeps them. */
import { KubeError } from './errors.ts';

export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

const of = (apiVersion: string, kind: string, plural: string, namespaced = true): Kind => ({
  apiVersion,
  kind,
  plural,
  namespaced,
});

export const KINDS = {
  Pod: of('v1', 'Pod', 'pods'),
  Service: of('v1', 'Service', 'services'),
  Secret: of('v1', 'Secret', 'secrets'),
  ConfigMap: of('v1', 'ConfigMap', 'configmaps'),
  ServiceAccount: of('v1', 'ServiceAccount', 'serviceaccounts'),
  PersistentVolumeClaim: of('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  Node: of('v1', 'Node', 'nodes', false),
  Namespace: of('v1', 'Namespace', 'namespaces', false),
  Event: of('events.k8s.io/v1', 'Event', 'events'),
  Deployment: of('apps/v1', 'Deployment', 'deployments'),
  StatefulSet: of('apps/v1', 'StatefulSet', 'statefulsets'),
  ControllerRevision: of('apps/v1', 'ControllerRevision', 'controllerrevisions'),
  ReplicaSet: of('apps/v1', 'ReplicaSet', 'replicasets'),
  HorizontalPodAutoscaler: of('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
  PodDisruptionBudget: of('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  NetworkPolicy: of('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  Ingress: of('networking.k8s.io/v1', 'Ingress', 'ingresses'),
  IngressClass: of('networking.k8s.io/v1', 'IngressClass', 'ingressclasses', false),
  EndpointSlice: of('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
  Lease: of('coordination.k8s.io/v1', 'Lease', 'leases'),
  CustomResourceDefinition: of(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'customresourcedefinitions',
    false,
  ),
  HTTPRoute: of('gateway.networking.k8s.io/v1', 'HTTPRoute', 'httproutes'),
  ServiceMonitor: of('monitoring.coreos.com/v1', 'ServiceMonitor', 'servicemonitors'),
  KlingApi: of('klingapi.dev/v1alpha1', 'KlingApi', 'klingapis'),
} as const satisfies Record<string, Kind>;

/** Kinds that not every cluster has; they may come and go while the operator runs. */
export const OPTIONAL_KINDS = ['HTTPRoute', 'ServiceMonitor'] as const satisfies (keyof typeof KINDS)[];
export type OptionalKind = (typeof OPTIONAL_KINDS)[number];

const byName = new Map<string, Kind>(Object.values(KINDS).map((kind) => [`${kind.apiVersion}/${kind.kind}`, kind]));

/** @throws TypeError for a kind that is not in the table: a mistake of ours, never of the cluster */
export function kindOf(apiVersion: string | undefined, kind: string | undefined): Kind {
  const found = byName.get(`${apiVersion}/${kind}`);
  if (found === undefined) throw new TypeError(`Kind ${apiVersion} ${kind} is not in operator/src/kube/kinds.ts`);
  return found;
}

export interface PathOptions {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** One part of a path: an empty one would make a list of everything out of one object, and dots lead to another place. */
function part(name: string): string {
  if (!['', '.', '..'].includes(name)) return encodeURIComponent(name);
  throw new KubeError({ code: 'Invalid', message: `"${name}" is no name of an object or a namespace` });
}

/** Path of a collection (without `name`) or of one object, without a query. @throws KubeError for a name that is none */
export function pathOf(kind: Kind, { namespace, name, subresource }: PathOptions): string {
  const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  const parts = [
    ...(kind.namespaced && namespace !== undefined ? ['namespaces', part(namespace)] : []),
    kind.plural,
    ...(name === undefined ? [] : [part(name)]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  return `${root}/${parts.join('/')}`;
}
