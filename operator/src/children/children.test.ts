/** Every child against golden YAML: read the diff as a person who applies it would. UPDATE with `vitest -u`. */

import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { klingApiOf } from '../testing.ts';
import { apiDeployment } from './api-deployment.ts';
import { apiStatefulSet } from './api-statefulset.ts';
import { autoscaler } from './autoscaler.ts';
import type { ImageSettings } from './child.ts';
import { dataClaim } from './data-claim.ts';
import { disruptionBudget, wantsDisruptionBudget } from './disruption-budget.ts';
import { httpRoute } from './http-route.ts';
import { ingress } from './ingress.ts';
import { mcpDeployment } from './mcp-deployment.ts';
import { networkPolicy } from './network-policy.ts';
import { revisionOf } from './revision.ts';
import { routes } from './routes.ts';
import { sandboxDeployment } from './sandbox-deployment.ts';
import { callersSecret, internalSecret } from './secret.ts';
import { service } from './service.ts';
import { serviceAccount } from './service-account.ts';
import { serviceMonitor } from './service-monitor.ts';

const images: ImageSettings = {
  mcp: 'registry.example/kling-mcp:1',
  api: 'registry.example/kling-api:1',
  sandbox: 'registry.example/kling-sandbox:1',
  probe: 'registry.example/kling-probe:1',
  pullPolicy: 'IfNotPresent',
  pullSecrets: [],
};
const STAMP = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';
const minimal = klingApiOf();
const foreignServer = klingApiOf({
  mcp: {
    image: 'example/server:2',
    args: ['serve'],
    path: '/mcp/',
    env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'server', key: 'token' } } }],
    handshake: { headersSecretRef: { name: 'server-headers' }, eras: 'Legacy' },
    pod: { labels: { team: 'media' }, nodeSelector: { disk: 'ssd' } },
  },
});
const vendor = klingApiOf({
  upstream: {
    provider: 'Kling',
    region: 'China',
    accessKeySecretRef: { name: 'kling', key: 'ak' },
    secretKeySecretRef: { name: 'kling', key: 'sk' },
  },
});
const operator = { namespace: 'kling-system', labels: { 'app.kubernetes.io/name': 'kling-operator' } };
const opened = (upstream: Record<string, unknown>) =>
  klingApiOf({
    upstream,
    networkPolicy: {
      mode: 'Enabled',
      ingressFrom: [
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress' } },
          podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['proxy'] }] },
        },
      ],
      monitoringFrom: [{ namespaceSelector: {} }],
      egressTo: [{ ipBlock: { cidr: '10.1.0.0/16', except: ['10.1.2.0/24'] } }],
    },
  });
const openedVendor = opened({ provider: 'Kling', apiKeySecretRef: { name: 'kling', key: 'apiKey' } });

const whole = klingApiOf({
  upstream: {
    provider: 'Kling',
    apiKeySecretRef: { name: 'kling', key: 'apiKey' },
    webhookSecretRef: { name: 'kling', key: 'webhook' },
  },
  api: {
    autoscaling: { min: 2, max: 8, cpuPercent: 70 },
    storage: { postgres: { urlSecretRef: { name: 'database', key: 'url' } } },
    results: {
      retentionDays: 90,
      s3: {
        bucket: 'results',
        endpoint: 'https://minio.example.com',
        prefix: 'studio/',
        accessKeyIdSecretRef: { name: 'minio', key: 'id' },
        secretAccessKeySecretRef: { name: 'minio', key: 'secret' },
      },
    },
  },
  mcp: {
    auth: { oauth: { issuer: 'http://keycloak.iam.svc:8080/realms/media', scopes: ['kling:create', 'kling:read'] } },
  },
  expose: {
    url: 'https://kling.example.com:8443',
    ingress: {
      host: 'kling.example.com',
      className: 'nginx',
      tlsSecretName: 'kling-tls',
      annotations: { 'cert-manager.io/cluster-issuer': 'letsencrypt' },
    },
    httpRoute: {
      parentRefs: [{ name: 'edge', namespace: 'gateways', sectionName: 'https' }],
      hostnames: ['kling.example.com', 'media.example.com'],
      requestTimeoutSeconds: 0,
    },
  },
  networkPolicy: { mode: 'Enabled', ingressFrom: [{ namespaceSelector: { matchLabels: { app: 'ingress' } } }] },
  monitoring: { labels: { release: 'prometheus', 'klingapi.dev/name': 'no' } },
});
const callsBack = klingApiOf({
  upstream: { provider: 'Sandbox', webhookSecretRef: { name: 'hooks', key: 'secret' } },
  api: {
    results: {
      s3: {
        bucket: 'results',
        region: 'eu-central-1',
        accessKeyIdSecretRef: { name: 's3', key: 'id' },
        secretAccessKeySecretRef: { name: 's3', key: 'secret' },
      },
    },
  },
  mcp: { image: 'example/server:2', path: '/' },
  expose: {
    ingress: { host: 'kling.example.com' },
    httpRoute: { parentRefs: [{ name: 'edge' }], hostnames: ['kling.example.com'] },
  },
});
const exposed = <T extends 'ingress' | 'httpRoute'>({ spec }: typeof whole, how: T) => {
  const block = spec.expose?.[how];
  if (block === undefined) throw new Error(`the case has no ${how}`);
  return block;
};

const goldens: [string, unknown][] = [
  ['mcp-deployment', mcpDeployment(minimal, images, 2, undefined)],
  ['mcp-deployment.other-server', mcpDeployment(foreignServer, images, undefined, STAMP)],
  ['mcp-autoscaler', autoscaler(minimal, 'mcp', { min: 2, max: 8, cpuPercent: 70 })],
  ['mcp-disruption-budget', disruptionBudget(minimal, 'mcp')],
  ['mcp-service', service(minimal, 'mcp')],
  ['api-statefulset', apiStatefulSet(minimal, images, undefined)],
  ['api-statefulset.vendor', apiStatefulSet(vendor, images, STAMP)],
  ['api-statefulset.calls-back', apiStatefulSet(callsBack, images, STAMP)],
  ['api-deployment', apiDeployment(whole, images, undefined, STAMP)],
  ['api-autoscaler', autoscaler(whole, 'api', { min: 2, max: 8, cpuPercent: 70 })],
  ['api-disruption-budget', disruptionBudget(whole, 'api')],
  ['mcp-deployment.oauth', mcpDeployment(whole, images, undefined, undefined)],
  ['mcp-network-policy.oauth', networkPolicy(whole, 'mcp', operator)],
  ['ingress', ingress(whole, exposed(whole, 'ingress'))],
  ['ingress.other-server', ingress(callsBack, exposed(callsBack, 'ingress'))],
  ['http-route', httpRoute(whole, exposed(whole, 'httpRoute'))],
  ['http-route.other-server', httpRoute(callsBack, exposed(callsBack, 'httpRoute'))],
  ['mcp-service-monitor', serviceMonitor(whole, 'mcp')],
  ['api-service-monitor', serviceMonitor(minimal, 'api')],
  ['sandbox-deployment.calls-back', sandboxDeployment(callsBack, images, STAMP)],
  ['api-service', service(minimal, 'api')],
  ['sandbox-deployment', sandboxDeployment(minimal, images, undefined)],
  ['sandbox-service', service(minimal, 'sandbox')],
  ['mcp-network-policy', networkPolicy(minimal, 'mcp', operator)],
  ['mcp-network-policy.opened', networkPolicy(openedVendor, 'mcp', operator)],
  ['api-network-policy', networkPolicy(minimal, 'api', operator)],
  ['api-network-policy.opened', networkPolicy(openedVendor, 'api', operator)],
  ['sandbox-network-policy', networkPolicy(opened({ provider: 'Sandbox' }), 'sandbox', operator)],
  ['data-claim', dataClaim(minimal, { size: '1Gi', reclaim: 'Retain' })],
  ['data-claim.deleted-with-it', dataClaim(minimal, { size: '5Gi', storageClassName: 'fast', reclaim: 'Delete' })],
  ['service-account', serviceAccount(minimal)],
  ['internal-secret', internalSecret(minimal, 'k'.repeat(32))],
  ['callers-secret', callersSecret(minimal, 'key')],
];

describe('children', () => {
  it.each(goldens)('%s', async (name, child) => {
    await expect(stringify(child, { lineWidth: 0, aliasDuplicateObjects: false })).toMatchFileSnapshot(
      `./golden/${name}.golden.yaml`,
    );
  });

  it('a builder gives the same bytes each time, or every look would be a write', () => {
    expect(JSON.stringify(mcpDeployment(klingApiOf(), images, 2, undefined))).toBe(
      JSON.stringify(mcpDeployment(klingApiOf(), images, 2, undefined)),
    );
  });

  it('the number of pods is no part of the revision', () => {
    expect(revisionOf(mcpDeployment(minimal, images, 2, undefined))).toBe(
      revisionOf(mcpDeployment(minimal, images, undefined, undefined)),
    );
  });
});

it('the kubelet restarts a process of its own only after the operator has spent the whole default budget', () => {
  const { budget, backoff, unhealthySeconds } = minimal.spec.remediation;
  let slowest = 0;
  for (let attempt = 1; attempt <= budget.repairs; attempt += 1)
    slowest += 2 * unhealthySeconds + Math.min(backoff.initialSeconds * 2 ** (attempt - 1), backoff.maxSeconds);
  for (const klingApi of [minimal, foreignServer]) {
    const probe = mcpDeployment(klingApi, images, 2, undefined).spec?.template.spec?.containers[0]?.livenessProbe;
    expect((probe?.periodSeconds ?? 0) * (probe?.failureThreshold ?? 0)).toBeGreaterThan(slowest);
    expect(probe?.httpGet?.path ?? probe?.tcpSocket?.port).toBe(klingApi === minimal ? '/livez' : 5510);
  }
});

it('names a pull secret once, although the release and the resource both name it: twice is refused', () => {
  const named = klingApiOf({ mcp: { imagePullSecrets: [{ name: 'registry' }] } });
  const { template } =
    mcpDeployment(named, { ...images, pullSecrets: ['registry', 'mirror'] }, 2, undefined).spec ?? {};
  expect(template?.spec?.imagePullSecrets).toEqual([{ name: 'registry' }, { name: 'mirror' }]);
});

it('a network policy never lets everybody in: an empty list of peers would', () => {
  for (const component of ['mcp', 'api', 'sandbox'] as const) {
    const { ingress } = networkPolicy(minimal, component, operator).spec;
    expect(ingress.length).toBeGreaterThan(0);
    expect(ingress.every(({ from, ports }) => from.length > 0 && ports.length > 0)).toBe(true);
  }
});

it('nothing from outside leads to the management port', () => {
  for (const klingApi of [whole, callsBack]) {
    const { ports } = service(klingApi, 'api').spec ?? {};
    expect(ports?.map(({ port, targetPort }) => [port, targetPort])).toEqual([[5511, 'api']]);
    expect(routes(klingApi).map(({ port }) => port)).not.toContain(9090);
  }
});

it('a budget is for more than one pod', () => {
  expect([0, 1, 2, 3].map(wantsDisruptionBudget)).toEqual([false, false, true, true]);
});

it('what Argo CD tracks a KlingApi by is not copied to its volume claim, or it would be pruned with it', () => {
  const tracked = klingApiOf();
  tracked.metadata.annotations = {
    'argocd.argoproj.io/tracking-id': 'media:klingapi.dev/KlingApi:media/studio',
  };
  expect(dataClaim(tracked, { size: '1Gi', reclaim: 'Retain' }).metadata).not.toHaveProperty('annotations');
});
