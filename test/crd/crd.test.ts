/** The CustomResourceDefinition on the real API server: what it refuses, what it fills in, what it tells. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { installCrd } from '../e2e/crd.ts';
import { getJson, type Json, kubectl, tryKubectl } from '../e2e/kubectl.ts';

const namespace = `crd-${randomBytes(3).toString('hex')}`;
const object = (spec: unknown, name = 'studio'): string =>
  stringify({ apiVersion: 'klingapi.dev/v1alpha1', kind: 'KlingApi', metadata: { name, namespace }, spec });

beforeAll(async () => {
  await installCrd();
  await kubectl(['create', 'namespace', namespace]);
});
afterAll(() => kubectl(['delete', 'namespace', namespace, '--wait=false']));

describe('a minimal resource', () => {
  it('comes back with the defaults', async () => {
    await kubectl(['create', '-f', '-'], object({ upstream: { provider: 'Sandbox' } }));
    const stored = await getJson(['get', 'klingapi', 'studio', '-n', namespace]);
    expect(stored.spec).toEqual({
      upstream: { provider: 'Sandbox', region: 'Global' },
      api: { podSecurity: 'Restricted' },
      mcp: {
        podSecurity: 'Restricted',
        port: 5510,
        path: '/mcp/v1',
        allowedOrigins: [],
        handshake: { eras: 'Any', periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 3, startupGraceSeconds: 60 },
      },
      remediation: {
        mode: 'Auto',
        unhealthySeconds: 10,
        maxConcurrentRepairs: 1,
        budget: { repairs: 5, windowSeconds: 3600 },
        backoff: { initialSeconds: 10, maxSeconds: 300 },
        minHealthySeconds: 300,
        ladder: ['RestartPod', 'RolloutRestart', 'Rollback'],
        logExcerpt: 'Matched',
      },
      rollout: { deadlineSeconds: 300 },
      verification: { image: 'Auto', maxPerDay: 24 },
      networkPolicy: { mode: 'Disabled', ingressFrom: [], monitoringFrom: [], egressTo: [] },
      monitoring: { serviceMonitor: 'Auto' },
      paused: false,
    });
  });
});

const sandbox = { provider: 'Sandbox' };
const postgres = { postgres: { urlSecretRef: { name: 'db', key: 'url' } } };
const s3 = {
  bucket: 'results',
  endpoint: 'https://minio.example',
  accessKeyIdSecretRef: { name: 's3', key: 'id' },
  secretAccessKeySecretRef: { name: 's3', key: 'secret' },
};
const expose = { ingress: { host: 'kling.example' } };
const refusals: [string, unknown, RegExp, string?][] = [
  ['no upstream', {}, /spec\.upstream: Required value/],
  [
    'an unknown provider',
    { upstream: { provider: 'Klong' } },
    /spec\.upstream\.provider: Unsupported value: "Klong".*"Kling", "Sandbox", "Custom"/,
  ],
  [
    'the vendor without a key',
    { upstream: { provider: 'Kling' } },
    /spec\.upstream\.apiKeySecretRef.*to try without a key use provider: Sandbox/,
  ],
  [
    'half of a key pair',
    { upstream: { provider: 'Custom', endpoint: 'https://x.example', accessKeySecretRef: { name: 'a', key: 'k' } } },
    /spec\.upstream.*accessKeySecretRef and secretKeySecretRef go together/,
  ],
  [
    'an endpoint of the sandbox',
    { upstream: { ...sandbox, endpoint: 'https://x.example' } },
    /spec\.upstream\.endpoint.*endpoint goes with provider Custom/,
  ],
  [
    'an endpoint that is no URL',
    { upstream: { provider: 'Custom', endpoint: 'ftp://x' } },
    /spec\.upstream\.endpoint: Invalid value/,
  ],
  [
    'an endpoint with credentials in it',
    { upstream: { provider: 'Custom', endpoint: 'https://me:secret@x.example' } },
    /spec\.upstream\.endpoint: Invalid value/,
  ],
  [
    'a foreign server without image',
    { upstream: sandbox, mcp: { server: 'Other' } },
    /spec\.mcp\.image.*server Other needs an image/,
  ],
  [
    'two kinds of auth',
    { upstream: sandbox, mcp: { auth: { callers: {}, none: {} } } },
    /spec\.mcp\.auth.*callers, oauth and none exclude each other/,
  ],
  [
    'a timeout as long as the period',
    { upstream: sandbox, mcp: { handshake: { periodSeconds: 5, timeoutSeconds: 5 } } },
    /spec\.mcp\.handshake\.timeoutSeconds.*at least one second less than periodSeconds/,
  ],
  ['the management port', { upstream: sandbox, mcp: { port: 9090 } }, /spec\.mcp\.port.*management port/],
  ['a path without slash', { upstream: sandbox, mcp: { path: 'mcp' } }, /spec\.mcp\.path: Invalid value/],
  [
    'a budget of 21',
    { upstream: sandbox, remediation: { budget: { repairs: 21 } } },
    /spec\.remediation\.budget\.repairs: Invalid value: 21.*less than or equal to 20/,
  ],
  [
    'no repairs at a time',
    { upstream: sandbox, remediation: { maxConcurrentRepairs: '0%' } },
    /spec\.remediation\.maxConcurrentRepairs: Invalid value/,
  ],
  [
    'a backoff that shrinks',
    { upstream: sandbox, remediation: { backoff: { initialSeconds: 20, maxSeconds: 10 } } },
    /spec\.remediation\.backoff\.initialSeconds.*must not exceed maxSeconds/,
  ],
  [
    'two API pods on SQLite',
    { upstream: sandbox, api: { replicas: 2 } },
    /spec\.api\.replicas.*more than one API replica needs storage\.postgres/,
  ],
  [
    'a size that is no quantity',
    { upstream: sandbox, api: { storage: { sqlite: { size: 'big' } } } },
    /spec\.api\.storage\.sqlite\.size: Invalid value: "big"/,
  ],
  [
    'a name that begins with a digit',
    { upstream: sandbox },
    /metadata\.name must have at most 40 characters, begin with a letter/,
    '1studio',
  ],
  ['a name of 41 characters', { upstream: sandbox }, /metadata\.name must have at most 40 characters/, 'a'.repeat(41)],
  [
    'a peer that is nobody',
    { upstream: sandbox, networkPolicy: { ingressFrom: [{}] } },
    /spec\.networkPolicy\.ingressFrom\[0\].*a peer is either an ipBlock, or a podSelector, a namespaceSelector or both/,
  ],
  [
    'a peer that is pods and addresses',
    { upstream: sandbox, networkPolicy: { egressTo: [{ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }] } },
    /spec\.networkPolicy\.egressTo\[0\].*a peer is either an ipBlock/,
  ],
  [
    'a range that is none',
    { upstream: sandbox, networkPolicy: { monitoringFrom: [{ ipBlock: { cidr: '10.0.0.0' } }] } },
    /spec\.networkPolicy\.monitoringFrom\[0\]\.ipBlock\.cidr: Invalid value: "10\.0\.0\.0"/,
  ],
  [
    'fewer pods at most than at least',
    { upstream: sandbox, mcp: { autoscaling: { min: 5, max: 2, cpuPercent: 70 } } },
    /spec\.mcp\.autoscaling\.min.*min must not exceed max/,
  ],
  [
    'autoscaling without a measure',
    { upstream: sandbox, mcp: { autoscaling: { min: 2, max: 5 } } },
    /spec\.mcp\.autoscaling\.cpuPercent: Required value/,
  ],
  [
    'autoscaling of the API, which is one pod on SQLite',
    { upstream: sandbox, api: { autoscaling: { min: 1, max: 2, cpuPercent: 70 } } },
    /spec\.api\.autoscaling.*autoscaling of the API needs storage\.postgres/,
  ],
  [
    'two places for tasks',
    { upstream: sandbox, api: { storage: { sqlite: {}, ...postgres } } },
    /spec\.api\.storage.*sqlite and postgres exclude each other/,
  ],
  [
    'PostgreSQL without an address',
    { upstream: sandbox, api: { storage: { postgres: {} } } },
    /spec\.api\.storage\.postgres\.urlSecretRef: Required value/,
  ],
  [
    'an object store with half of its keys',
    { upstream: sandbox, api: { results: { s3: { ...s3, secretAccessKeySecretRef: undefined } } } },
    /spec\.api\.results\.s3\.secretAccessKeySecretRef: Required value/,
  ],
  [
    'an object store that is nowhere',
    { upstream: sandbox, api: { results: { s3: { ...s3, endpoint: undefined } } } },
    /spec\.api\.results\.s3\.endpoint.*s3 needs endpoint, or region for Amazon S3/,
  ],
  [
    'a bucket that is none',
    { upstream: sandbox, api: { results: { s3: { ...s3, bucket: 'Results' } } } },
    /spec\.api\.results\.s3\.bucket: Invalid value: "Results"/,
  ],
  [
    'results that are kept for no day',
    { upstream: sandbox, api: { results: { retentionDays: 0 } } },
    /spec\.api\.results\.retentionDays: Invalid value: 0/,
  ],
  [
    'OAuth beside callers',
    { upstream: sandbox, expose, mcp: { auth: { callers: {}, oauth: { issuer: 'https://id.example' } } } },
    /spec\.mcp\.auth.*callers, oauth and none exclude each other/,
  ],
  [
    'OAuth without an address from outside',
    { upstream: sandbox, mcp: { auth: { oauth: { issuer: 'https://id.example' } } } },
    /spec\.expose.*set expose\.url, expose\.ingress or expose\.httpRoute/,
  ],
  [
    'an issuer that anybody on the way could play',
    { upstream: sandbox, expose, mcp: { auth: { oauth: { issuer: 'http://id.example' } } } },
    /spec\.mcp\.auth\.oauth\.issuer: Invalid value/,
  ],
  ['an exposure of nothing', { upstream: sandbox, expose: {} }, /spec\.expose.*expose needs url, ingress or httpRoute/],
  [
    'an address with a path',
    { upstream: sandbox, expose: { url: 'https://kling.example/base' } },
    /spec\.expose\.url: Invalid value/,
  ],
  [
    'an address with a port that is none',
    { upstream: sandbox, expose: { url: 'https://kling.example:99999' } },
    /spec\.expose\.url: Invalid value/,
  ],
  [
    'a host that is a pattern',
    { upstream: sandbox, expose: { ingress: { host: '*.example' } } },
    /spec\.expose\.ingress\.host: Invalid value/,
  ],
  [
    'a route from nowhere',
    { upstream: sandbox, expose: { httpRoute: { parentRefs: [], hostnames: ['kling.example'] } } },
    /spec\.expose\.httpRoute\.parentRefs.*at least 1 item/,
  ],
  [
    'a closed network around what is exposed',
    { upstream: sandbox, expose, networkPolicy: { mode: 'Enabled' } },
    /spec\.networkPolicy\.ingressFrom.*would shut out the ingress controller or gateway of expose/,
  ],
  [
    'an unknown mode of network policies',
    { upstream: sandbox, networkPolicy: { mode: 'Open' } },
    /spec\.networkPolicy\.mode: Unsupported value: "Open".*"Disabled", "Enabled"/,
  ],
  [
    'an unknown field',
    { upstream: sandbox, mcp: { handshake: { periodSecond: 5 } } },
    /unknown field "spec\.mcp\.handshake\.periodSecond"/,
  ],
];

describe('the API server refuses', () => {
  it.each(refusals)('%s', async (_, spec, message, name) => {
    const result = await tryKubectl(['create', '-f', '-'], object(spec, name ?? 'wrong'));
    expect(result.code).not.toBe(0);
    expect(result.stderr.replace(/\s+/g, ' ')).toMatch(message);
  });
});

describe('a change of storage', () => {
  const apply = (api: unknown, name: string) =>
    tryKubectl(['apply', '-f', '-'], object({ upstream: sandbox, api }, name));
  const refusal =
    /spec\.api\.storage: Forbidden: tasks do not move between SQLite and PostgreSQL.*set replicas: 0 first/;

  it.each([
    ['SQLite, as nothing says', {}, { storage: postgres }],
    ['SQLite, as the spec says', { storage: { sqlite: {} } }, { storage: postgres }],
    ['PostgreSQL, by leaving it out', { storage: postgres }, {}],
  ])('from %s is refused while there are pods, and taken when there are none', async (title, from, to) => {
    const name = `moved-${title.length}`;
    const steps: [unknown, RegExp | null][] = [
      [from, null],
      [to, refusal],
      [{ ...to, replicas: 0 }, refusal],
      [{ ...from, replicas: 0 }, null],
      [to, null],
      [from, refusal],
    ];
    for (const [api, wrong] of steps) {
      const { code, stderr } = await apply(api, name);
      if (wrong === null) expect(stderr).toBe('');
      else expect(stderr.replace(/\s+/g, ' ')).toMatch(wrong);
      expect(code === 0).toBe(wrong === null);
    }
  });

  it('is none where only its details change', async () => {
    const other = { postgres: { urlSecretRef: { name: 'db2', key: 'url' } } };
    for (const storage of [postgres, other]) expect(await apply({ storage }, 'same')).toMatchObject({ code: 0 });
    for (const api of [{}, { storage: {} }, { storage: { sqlite: { reclaim: 'Delete' } } }])
      expect(await apply(api, 'same-sqlite')).toMatchObject({ code: 0 });
  });
});

describe('what else it does', () => {
  it('takes every field at once', async () => {
    const key = { name: 'all', key: 'k' };
    await kubectl(
      ['create', '-f', '-'],
      object(
        {
          upstream: { provider: 'Kling', apiKeySecretRef: key, webhookSecretRef: key },
          api: {
            replicas: 3,
            autoscaling: { min: 2, max: 5, cpuPercent: 70 },
            storage: postgres,
            results: {
              retentionDays: 30,
              s3: { ...s3, region: 'eu-1', prefix: 'studio/', forcePathStyle: true },
            },
          },
          mcp: {
            auth: { oauth: { issuer: 'http://id.iam.svc:8080/realms/a', audience: 'kling', scopes: ['a:b', 'c'] } },
          },
          expose: {
            url: 'https://kling.example:8443',
            ingress: { host: 'kling.example', className: 'nginx', tlsSecretName: 'tls', annotations: { 'a/b': 'c' } },
            httpRoute: {
              parentRefs: [{ name: 'edge', namespace: 'gateways', sectionName: 'https', port: 443 }],
              hostnames: ['kling.example'],
            },
          },
          networkPolicy: { mode: 'Enabled', ingressFrom: [{ namespaceSelector: {} }] },
          monitoring: { serviceMonitor: 'Enabled', labels: { release: 'prometheus' } },
        },
        'everything',
      ),
    );
  });

  it('an unknown field is pruned where kubectl does not validate', async () => {
    await kubectl(['create', '--validate=false', '-f', '-'], object({ upstream: sandbox, colour: 'red' }, 'pruned'));
    expect((await getJson(['get', 'klingapi', 'pruned', '-n', namespace])).spec).not.toHaveProperty('colour');
  });

  it('affinity and volumes go through as they are', async () => {
    const affinity = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] }],
        },
      },
    };
    const volumes = [{ name: 'extra', configMap: { name: 'settings', items: [{ key: 'a', path: 'b' }] } }];
    await kubectl(['create', '-f', '-'], object({ upstream: sandbox, mcp: { pod: { affinity, volumes } } }, 'opaque'));
    expect((await getJson(['get', 'klingapi', 'opaque', '-n', namespace])).spec.mcp.pod).toEqual({ affinity, volumes });
  });

  it('peers of every shape are taken as they are', async () => {
    const networkPolicy = {
      mode: 'Enabled',
      ingressFrom: [
        {
          namespaceSelector: { matchLabels: { team: 'media' } },
          podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['proxy'] }] },
        },
      ],
      monitoringFrom: [{ namespaceSelector: {} }, { podSelector: { matchLabels: { app: 'prometheus' } } }],
      egressTo: [{ ipBlock: { cidr: '10.1.0.0/16', except: ['10.1.2.0/24'] } }, { ipBlock: { cidr: 'fd00:1::/64' } }],
    };
    await kubectl(['create', '-f', '-'], object({ upstream: sandbox, networkPolicy }, 'peers'));
    expect((await getJson(['get', 'klingapi', 'peers', '-n', namespace])).spec.networkPolicy).toEqual(networkPolicy);
  });

  it('percentages and numbers of concurrent repairs are taken', async () => {
    await kubectl(
      ['create', '-f', '-'],
      object({ upstream: sandbox, remediation: { maxConcurrentRepairs: '25%' } }, 'percent'),
    );
    await kubectl(
      ['create', '-f', '-'],
      object({ upstream: sandbox, remediation: { maxConcurrentRepairs: 3 } }, 'number'),
    );
  });

  it('a block keeps no default beside what a later apply adds', async () => {
    await kubectl(['apply', '-f', '-'], object({ upstream: sandbox }, 'later'));
    await kubectl(['apply', '-f', '-'], object({ upstream: sandbox, mcp: { auth: { none: {} } } }, 'later'));
    expect((await getJson(['get', 'klingapi', 'later', '-n', namespace])).spec.mcp.auth).toEqual({ none: {} });
  });

  it('kubectl explain tells each field', async () => {
    const text = await kubectl(['explain', 'klingapi.spec.mcp.handshake']);
    const crd = await getJson(['get', 'crd', 'klingapis.klingapi.dev']);
    const handshake: Json =
      crd.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.mcp.properties.handshake;
    for (const [field, schema] of Object.entries<Json>(handshake.properties)) {
      expect(text).toContain(field);
      expect(text.replace(/\s+/g, ' ')).toContain(schema.description.slice(0, 40));
    }
  });

  it('every field has a description, and every list a type', async () => {
    const crd = await getJson(['get', 'crd', 'klingapis.klingapi.dev']);
    const missing: string[] = [];
    const walk = (schema: Json, path: string): void => {
      if (schema.type === 'array' && schema['x-kubernetes-list-type'] === undefined) missing.push(`${path}: list type`);
      for (const [name, child] of Object.entries<Json>(schema.properties ?? {})) {
        if (child.description === undefined || child.description === '') missing.push(`${path}.${name}: description`);
        walk(child, `${path}.${name}`);
      }
      if (schema.items !== undefined) walk(schema.items, `${path}[]`);
    };
    walk(crd.spec.versions[0].schema.openAPIV3Schema.properties.spec, 'spec');
    walk(crd.spec.versions[0].schema.openAPIV3Schema.properties.status, 'status');
    expect(missing).toEqual([]);
  });
});
