import { dnsAddress, images } from './settings.ts';

/** The cluster's DNS, as manifests: one Deployment with what it needs, under the name that every cluster gives it. */
export function corednsManifests(resolvers: readonly string[]): object[] {
  const metadata = { name: 'coredns', namespace: 'kube-system' };
  const labels = { 'k8s-app': 'kube-dns' };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'system:coredns' },
      rules: [
        { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'system:coredns' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' },
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { Corefile: corefile(resolvers) } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace: 'kube-system', labels },
      spec: {
        selector: labels,
        clusterIP: dnsAddress,
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
          { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
        ],
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { ...metadata, labels },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podSpec() },
      },
    },
  ];
}

/** Answers change fast in tests (a pod is repaired, a Service gets another address), so little is cached. */
export function corefile(resolvers: readonly string[]): string {
  const outside = resolvers.length === 0 ? [] : [`forward . ${resolvers.slice(0, 3).join(' ')}`];
  const directives = [
    'errors',
    'health { lameduck 1s }',
    'ready',
    'cache 5',
    // names as the world has them, for what must not know the cluster's own
    'rewrite name suffix .public.test. .svc.cluster.local. answer auto',
    'kubernetes cluster.local in-addr.arpa ip6.arpa { pods insecure\n fallthrough in-addr.arpa ip6.arpa\n ttl 5 }',
    ...outside,
    'reload 2s',
  ];
  return `.:53 {\n${directives.map(block).join('\n')}\n}\n`;
}

/** A Corefile wants every option of a block on a line of its own. */
const block = (directive: string) => directive.replace(/\{ /, '{\n ').replace(/ \}$/, '\n}').replace(/^/gm, '  ');

function podSpec(): object {
  const probe = (path: string, port: number) => ({ httpGet: { path, port }, periodSeconds: 2, timeoutSeconds: 2 });
  return {
    serviceAccountName: 'coredns',
    priorityClassName: 'system-cluster-critical',
    dnsPolicy: 'Default',
    terminationGracePeriodSeconds: 2,
    containers: [
      {
        name: 'coredns',
        image: images.coredns,
        imagePullPolicy: 'Never',
        args: ['-conf', '/etc/coredns/Corefile'],
        ports: [{ containerPort: 53, protocol: 'UDP' }],
        resources: { requests: { cpu: '10m', memory: '32Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
        },
        livenessProbe: { ...probe('/health', 8080), failureThreshold: 10 },
        readinessProbe: probe('/ready', 8181),
        volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
      },
    ],
    volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
  };
}
