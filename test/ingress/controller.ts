/** Traefik in a namespace of its own, for Ingress and Gateway API. */
import { stringify } from 'yaml';
import { z } from 'zod';
import { loadImage } from '../cluster/index.ts';
import { getJson, kubectl } from '../e2e/kubectl.ts';
import { waitFor } from '../e2e/wait.ts';
import { TRAEFIK_IMAGE, traefikArchive } from './traefik.ts';

/** One request, as the controller tells of it. */
export interface Request {
  status: number;
  /** Address and port of the pod that it went to; undefined where it went to none. */
  pod: string | undefined;
  /** The Service, as the controller names it. */
  service: string;
  /** What the pod answered; 0 where it did not. */
  podStatus: number;
}

export interface Controller {
  namespace: string;
  className: string;
  gateway: { name: string; namespace: string };
  /** The address that clients connect to. */
  address: string;
  /** What became of requests, by their header `x-request-id`. */
  requests(): Promise<Map<string, Request>>;
}

export interface ControllerOptions {
  /** Names of Services that lead to it besides `edge`, so that each exposure has a host name that resolves in the cluster. */
  hosts: readonly string[];
  /** Secret with the certificate of the Gateway, in the controller's namespace. */
  tls: { certificate: string; key: string };
  /** More of its settings. */
  args?: readonly string[];
}

const REGISTRATION = 'traefik.io/gateway-controller';

/** @param namespace exists already; its name is that of the class, too */
export async function startController(namespace: string, options: ControllerOptions): Promise<Controller> {
  await loadImage(await traefikArchive());
  const objects = manifests(namespace, options);
  await kubectl(['apply', '-f', '-'], objects.map((object) => stringify(object)).join('---\n'));
  await kubectl(['rollout', 'status', 'deployment/traefik', '-n', namespace, '--timeout=120s']);
  const service = await getJson(['get', 'service', options.hosts[0] ?? '', '-n', namespace]);
  await waitFor(
    async () => {
      const { status } = await getJson(['get', 'gateway', 'edge', '-n', namespace]);
      return status?.conditions?.some(
        (entry: { type: string; status: string }) => entry.type === 'Programmed' && entry.status === 'True',
      );
    },
    { what: 'the Gateway to be programmed', timeoutMs: 60_000 },
  );
  return {
    namespace,
    className: namespace,
    gateway: { name: 'edge', namespace },
    address: service.spec.clusterIP,
    async requests() {
      const lines = await kubectl(['logs', 'deployment/traefik', '-n', namespace]);
      const found = lines.split('\n').flatMap((line) => (line.startsWith('{') ? [line] : []));
      return new Map(
        found.flatMap((line) => {
          const parsed = accessLine.safeParse(JSON.parse(line));
          if (!parsed.success) return [];
          const {
            DownstreamStatus: status,
            OriginStatus: podStatus,
            ServiceName: service,
            ServiceAddr: pod,
          } = parsed.data;
          const id = parsed.data['request_X-Request-Id'];
          return [[id, { status, podStatus, service, pod }] as const];
        }),
      );
    },
  };
}

/** Removes it with its namespace, however far its start came. */
export async function removeController(namespace: string): Promise<void> {
  for (const kind of ['ingressclass', 'gatewayclass', 'clusterrole', 'clusterrolebinding'])
    await kubectl(['delete', kind, namespace, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found']);
}

const accessLine = z.object({
  'request_X-Request-Id': z.string(),
  DownstreamStatus: z.number(),
  OriginStatus: z.number().default(0),
  ServiceName: z.string().default(''),
  ServiceAddr: z.string().optional(),
});

function manifests(namespace: string, { hosts, tls, args = [] }: ControllerOptions): object[] {
  const labels = { app: 'traefik' };
  const own = { name: namespace };
  const here = (name: string) => ({ name, namespace });
  const read = ['get', 'list', 'watch'];
  const rbac = { apiGroup: 'rbac.authorization.k8s.io' };
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: own,
      spec: { controller: 'traefik.io/ingress-controller' },
    },
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: own,
      spec: { controllerName: REGISTRATION },
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: here('traefik') },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: own,
      rules: [
        { apiGroups: [''], resources: ['services', 'secrets', 'nodes', 'namespaces', 'configmaps'], verbs: read },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
        { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'ingressclasses'], verbs: read },
        { apiGroups: ['networking.k8s.io'], resources: ['ingresses/status'], verbs: ['update'] },
        { apiGroups: ['gateway.networking.k8s.io'], resources: ['*'], verbs: [...read, 'update'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: own,
      roleRef: { ...rbac, kind: 'ClusterRole', name: namespace },
      subjects: [{ kind: 'ServiceAccount', ...here('traefik') }],
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: here('edge-tls'),
      stringData: { 'tls.crt': tls.certificate, 'tls.key': tls.key },
    },
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: here('edge'),
      spec: {
        gatewayClassName: namespace,
        listeners: [
          {
            name: 'https',
            protocol: 'HTTPS',
            // the port of the entry point, not that of the Service before it
            port: 8443,
            tls: { mode: 'Terminate', certificateRefs: [{ name: 'edge-tls' }] },
            allowedRoutes: { namespaces: { from: 'All' } },
          },
        ],
      },
    },
    ...hosts.map((host) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: here(host),
      spec: {
        selector: labels,
        ports: [
          { name: 'http', port: 80, targetPort: 8000 },
          { name: 'https', port: 443, targetPort: 8443 },
        ],
      },
    })),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: here('traefik'),
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podSpec(namespace, args) },
      },
    },
  ];
}

function podSpec(namespace: string, more: readonly string[]): object {
  return {
    serviceAccountName: 'traefik',
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'traefik',
        image: TRAEFIK_IMAGE,
        imagePullPolicy: 'Never',
        args: [
          '--providers.kubernetesingress=true',
          `--providers.kubernetesingress.ingressclass=${namespace}`,
          '--providers.kubernetesgateway=true',
          '--entrypoints.web.address=:8000',
          '--entrypoints.websecure.address=:8443',
          '--entrypoints.websecure.http.tls=true',
          '--entrypoints.traefik.address=:8080',
          '--ping=true',
          '--accesslog=true',
          '--accesslog.format=json',
          // a log that is rotated would be read in part
          '--accesslog.fields.defaultmode=drop',
          ...['DownstreamStatus', 'OriginStatus', 'ServiceName', 'ServiceAddr'].map(
            (name) => `--accesslog.fields.names.${name}=keep`,
          ),
          '--accesslog.fields.headers.names.X-Request-Id=keep',
          '--global.checknewversion=false',
          '--global.sendanonymoususage=false',
          ...more,
        ],
        // without a request it gets next to nothing of a machine that is busy
        resources: { requests: { cpu: '200m' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        // nothing but its start is waited for: a machine that is busy must not take it out
        readinessProbe: {
          httpGet: { path: '/ping', port: 8080 },
          periodSeconds: 2,
          timeoutSeconds: 10,
          failureThreshold: 10,
        },
      },
    ],
  };
}
