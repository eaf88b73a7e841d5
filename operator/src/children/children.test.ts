/** Every child against golden YAML: read the diff as a person who applies it would. UPDATE with `vitest -u`. */

import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { klingApiOf } from '../testing.ts';
import { apiStatefulSet } from './api-statefulset.ts';
import { autoscaler } from './autoscaler.ts';
import type { ImageSettings } from './child.ts';
import { dataClaim } from './data-claim.ts';
import { disruptionBudget, wantsDisruptionBudget } from './disruption-budget.ts';
import { mcpDeployment } from './mcp-deployment.ts';
import { networkPolicy } from './network-policy.ts';
import { revisionOf } from './revision.ts';
import { sandboxDeployment } from './sandbox-deployment.ts';
import { callersSecret, internalSecret } from './secret.ts';
import { service } from './service.ts';
import { serviceAccount } from './service-account.ts';

const images: ImageSettings = {
  mcp: 'registry.example/kling-mcp:1',
  api: 'registry.example/kling-api:1',
  sandbox: 'registry.example/kling-sandbox:1',
  probe: 'registry.example/kling-probe:1',
  pullPolicy: 'IfNotPresent',
  pullSecrets: [],
};
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

const goldens: [string, unknown][] = [
  ['mcp-deployment', mcpDeployment(minimal, images, 2)],
  ['mcp-deployment.other-server', mcpDeployment(foreignServer, images, undefined)],
  ['mcp-autoscaler', autoscaler(minimal, { min: 2, max: 8, cpuPercent: 70 })],
  ['mcp-disruption-budget', disruptionBudget(minimal)],
  ['mcp-service', service(minimal, 'mcp')],
  ['api-statefulset', apiStatefulSet(minimal, images, undefined)],
  ['api-statefulset.vendor', apiStatefulSet(vendor, images, '0f1e2d3c4b5a69788796a5b4c3d2e1f0')],
  ['api-service', service(minimal, 'api')],
  ['sandbox-deployment', sandboxDeployment(minimal, images)],
  ['sandbox-service', service(minimal, 'sandbox')],
  ['mcp-network-policy', networkPolicy(minimal, 'mcp', operator)],
  ['mcp-network-policy.opened', networkPolicy(openedVendor, 'mcp', operator)],
  ['api-network-policy', networkPolicy(minimal, 'api', operator)],
  ['api-network-policy.opened', networkPolicy(openedVendor, 'api', operator)],
  ['sandbox-network-policy', networkPolicy(opened({ provider: 'Sandbox' }), 'sandbox', operator)],
  ['data-claim', dataClaim(minimal)],
  [
    'data-claim.deleted-with-it',
    dataClaim(klingApiOf({ api: { storage: { sqlite: { size: '5Gi', reclaim: 'Delete' } } } })),
  ],
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
    expect(JSON.stringify(mcpDeployment(klingApiOf(), images, 2))).toBe(
      JSON.stringify(mcpDeployment(klingApiOf(), images, 2)),
    );
  });

  it('the number of pods is no part of the revision', () => {
    expect(revisionOf(mcpDeployment(minimal, images, 2))).toBe(revisionOf(mcpDeployment(minimal, images, undefined)));
  });
});

it('the kubelet restarts a process of its own only after the operator has spent the whole default budget', () => {
  const { budget, backoff, unhealthySeconds } = minimal.spec.remediation;
  let slowest = 0;
  for (let attempt = 1; attempt <= budget.repairs; attempt += 1)
    slowest += 2 * unhealthySeconds + Math.min(backoff.initialSeconds * 2 ** (attempt - 1), backoff.maxSeconds);
  for (const klingApi of [minimal, foreignServer]) {
    const probe = mcpDeployment(klingApi, images, 2).spec?.template.spec?.containers[0]?.livenessProbe;
    expect((probe?.periodSeconds ?? 0) * (probe?.failureThreshold ?? 0)).toBeGreaterThan(slowest);
    expect(probe?.httpGet?.path ?? probe?.tcpSocket?.port).toBe(klingApi === minimal ? '/livez' : 5510);
  }
});

it('names a pull secret once, although the release and the resource both name it: twice is refused', () => {
  const named = klingApiOf({ mcp: { imagePullSecrets: [{ name: 'registry' }] } });
  const { template } = mcpDeployment(named, { ...images, pullSecrets: ['registry', 'mirror'] }, 2).spec ?? {};
  expect(template?.spec?.imagePullSecrets).toEqual([{ name: 'registry' }, { name: 'mirror' }]);
});

it('a network policy never lets everybody in: an empty list of peers would', () => {
  for (const component of ['mcp', 'api', 'sandbox'] as const) {
    const { ingress } = networkPolicy(minimal, component, operator).spec;
    expect(ingress.length).toBeGreaterThan(0);
    expect(ingress.every(({ from, ports }) => from.length > 0 && ports.length > 0)).toBe(true);
  }
});

it('a budget is for more than one pod', () => {
  expect([0, 1, 2, 3].map(wantsDisruptionBudget)).toEqual([false, false, true, true]);
});
