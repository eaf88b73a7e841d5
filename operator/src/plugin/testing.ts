/** Builders for the tests of what is printed. */
import type { V1Pod } from '@kubernetes/client-node';
import { handshakeOf, klingApiOf, T0 } from '../testing.ts';
import type { Listed } from './cluster/klingapis.ts';
import { ABSENT, seen } from './cluster/seen.ts';
import type { Facts } from './doctor/facts.ts';

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

const condition = (type: string, status: string, reason: string, message: string) => ({
  ...{ type, status, reason, message },
  lastTransitionTime: iso(T0 - 600_000),
});

/** A KlingApi that is well. */
export function wellOf(spec: Record<string, unknown> = {}, status: Record<string, unknown> = {}): Listed {
  const klingApi = klingApiOf(spec, {
    observedGeneration: 1,
    conditions: [
      condition('Ready', 'True', 'Ready', '2 of 2 MCP pods serve, 1 API pods are ready'),
      condition('Accepted', 'True', 'Accepted', 'the resource is valid and its children are ours'),
      condition('UpstreamReachable', 'True', 'PictureMade', 'made a PNG of 768x432'),
      condition('ApiAvailable', 'True', 'PodsReady', '1 of 1 API pods are ready'),
    ],
    endpoints: {
      mcp: 'http://studio-mcp.media.svc:5510/mcp/v1',
      api: 'http://studio-api.media.svc:5511',
    },
    mcp: {
      serving: '2/2',
      serverInfo: { name: 'kling', version: '0.1.0' },
      protocolVersions: ['2025-11-25', '2026-07-28'],
      pods: ['a', 'b'].map((letter) => ({
        name: `studio-mcp-${letter}`,
        verdict: 'Serving',
        since: iso(T0 - 7_200_000),
      })),
    },
    verification: { summary: '3/3', checks: [], at: iso(T0 - 300_000) },
    repairsTotal: 0,
    ...status,
  });
  return { ...klingApi, metadata: { ...klingApi.metadata, creationTimestamp: iso(T0 - 86_400_000) } };
}

export const withCondition = (
  klingApi: Listed,
  type: string,
  status: string,
  reason: string,
  message: string,
): Listed => ({
  ...klingApi,
  status: {
    ...klingApi.status,
    conditions: [
      ...(klingApi.status?.conditions ?? []).filter((entry) => entry.type !== type),
      {
        type,
        status: status === 'True' ? 'True' : status === 'False' ? 'False' : 'Unknown',
        reason,
        message,
        lastTransitionTime: iso(T0),
      },
    ],
  },
});

/** Plain JSON as the API server sends it: its times are texts, whatever the types say. */
const pod = (component: string, letter: string, status: object = {}): V1Pod => {
  const object: unknown = {
    metadata: {
      name: `studio-${component}-${letter}`,
      uid: `uid-${component}-${letter}`,
      labels: {
        'app.kubernetes.io/instance': 'studio',
        'app.kubernetes.io/component': component,
        'klingapi.dev/name': 'studio',
      },
    },
    spec: { containers: [{ name: component, ports: [{ name: component, containerPort: 5510 }] }] },
    status: {
      phase: 'Running',
      podIP: `198.18.0.${letter.charCodeAt(0)}`,
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [
        { name: component, ready: true, restartCount: 0, state: { running: { startedAt: iso(T0 - 7_200_000) } } },
      ],
      ...status,
    },
  };
  return object as V1Pod;
};
export const podOf = pod;

const part = (component: 'mcp' | 'api', letters: readonly string[], port: number): Facts['mcp'] => {
  const pods = letters.map((letter) => pod(component, letter));
  return {
    pods: seen(pods),
    service: {
      service: seen({
        spec: {
          selector: { 'klingapi.dev/name': 'studio', 'app.kubernetes.io/component': component },
          ports: [{ port, targetPort: component }],
        },
      }),
      endpoints: seen(pods.map(({ status }) => status?.podIP ?? '')),
    },
    workload: seen({ wanted: letters.length, conditions: [] }),
  };
};

/** Facts about a KlingApi that is well. */
export function factsOf(more: Partial<Facts> = {}): Facts {
  return {
    name: 'studio',
    namespace: 'media',
    server: 'https://cluster.example.com:6443',
    now: T0,
    version: seen('v1.34.4'),
    isServed: seen(true),
    operators: seen([
      {
        deployment: {
          metadata: { name: 'kling-operator', namespace: 'kling-system' },
          spec: {
            replicas: 1,
            selector: {},
            template: {
              spec: { containers: [{ name: 'operator', image: 'registry.example.com/kling-operator:0.1.0' }] },
            },
          },
          status: { readyReplicas: 1 },
        },
        pods: seen([]),
        lease: seen({ holder: 'kling-operator-7d9-x_1', renewedAt: T0 - 2_000, durationMs: 15_000 }),
      },
    ]),
    klingApi: seen(wellOf()),
    ingress: ABSENT,
    classes: ABSENT,
    certificate: ABSENT,
    route: ABSENT,
    outside: undefined,
    mcp: part('mcp', ['a', 'b'], 5510),
    api: part('api', ['a'], 5511),
    sandbox: seen([pod('sandbox', 'a')]),
    events: seen([]),
    handshakes: ['a', 'b'].map((letter) => ({
      pod: `studio-mcp-${letter}`,
      own: { ...handshakeOf('Serving'), message: 'kling answered initialize and server/discover' },
      report: undefined,
      trouble: undefined,
    })),
    health: seen({ pod: 'studio-api-a', ok: true, message: 'GET /api/health answered HTTP 200' }),
    ...more,
  };
}
