/** Every child against golden YAML: read the diff as a person who applies it would. UPDATE with `vitest -u`. */

import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { klingApiOf } from '../testing.ts';
import { apiStatefulSet } from './api-statefulset.ts';
import type { ImageSettings } from './child.ts';
import { dataClaim } from './data-claim.ts';
import { mcpDeployment } from './mcp-deployment.ts';
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

const goldens: [string, unknown][] = [
  ['mcp-deployment', mcpDeployment(minimal, images, 2)],
  ['mcp-deployment.other-server', mcpDeployment(foreignServer, images, undefined)],
  ['mcp-service', service(minimal, 'mcp')],
  ['api-statefulset', apiStatefulSet(minimal, images)],
  ['api-statefulset.vendor', apiStatefulSet(vendor, images)],
  ['api-service', service(minimal, 'api')],
  ['sandbox-deployment', sandboxDeployment(minimal, images)],
  ['sandbox-service', service(minimal, 'sandbox')],
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
