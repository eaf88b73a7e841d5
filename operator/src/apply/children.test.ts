/** Which children a spec makes, which it takes back, and in what order. */
import type { KubernetesObject } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { klingApiOf } from '../testing.ts';
import { FIELD_MANAGER } from './applier.ts';
import { keepChildren } from './children.ts';

const owner = [{ apiVersion: 'x', kind: 'KlingApi', name: 'studio', uid: klingApiOf().metadata.uid }];
const there = (kind: string, name: string, more: object = {}): KubernetesObject => ({
  kind,
  metadata: { name, uid: `${kind}-${name}`, ownerReferences: owner, ...more },
});

/** @returns what was done, in order */
async function done(
  spec: Record<string, unknown>,
  live: KubernetesObject[] = [],
  key?: string,
  optional: string[] = [],
): Promise<string[]> {
  const steps: string[] = [];
  const deps = {
    caches: {
      child: (kind: string, _: string, name: string) =>
        live.find((object) => object.kind === kind && object.metadata?.name === name),
      serves: (kind: string) => optional.includes(kind),
      revisions: () => [],
    },
    turns: { take: () => true },
    now: () => 0,
    applier: {
      async apply(object: KubernetesObject) {
        steps.push(`keep ${object.kind} ${object.metadata?.name}`);
        return { object, outcome: 'Unchanged' };
      },
    },
    client: {
      async delete(ref: { kind: string; name: string }) {
        steps.push(`remove ${ref.kind} ${ref.name}`);
      },
      get: async (ref: { kind: string; name: string }) =>
        live.find((object) => object.kind === ref.kind && object.metadata?.name === ref.name),
      async apply(object: { kind: string; spec: { replicas: number } }) {
        steps.push(`hand over ${object.kind} ${object.spec.replicas}`);
      },
    },
    secrets: {
      ensure: async () => 'k'.repeat(43),
      internalKey: async () => 'k'.repeat(43),
      lookUp: async () => (key === undefined ? undefined : { apiKey: Buffer.from(key) }),
    },
    images: { mcp: 'm', api: 'a', sandbox: 's', probe: 'p', pullPolicy: 'IfNotPresent', pullSecrets: [] },
    operator: { namespace: 'kling-system', labels: { 'app.kubernetes.io/name': 'kling-operator' } },
    log: { info: () => {} },
  } as unknown as Parameters<typeof keepChildren>[1];
  await keepChildren(klingApiOf(spec), deps);
  return steps;
}
const about = (steps: string[], kinds: RegExp): string[] => steps.filter((step) => kinds.test(step));

describe('the children', () => {
  it('policies follow the mode, and the sandbox', async () => {
    const networkPolicy = { mode: 'Enabled' };
    const policies = ['mcp', 'api', 'sandbox'].map((component) => there('NetworkPolicy', `studio-${component}`));
    expect(about(await done({}), /NetworkPolicy/)).toEqual([]);
    expect(about(await done({ networkPolicy }), /NetworkPolicy/)).toEqual([
      'keep NetworkPolicy studio-mcp',
      'keep NetworkPolicy studio-api',
      'keep NetworkPolicy studio-sandbox',
    ]);
    expect(about(await done({}, policies), /NetworkPolicy/)).toEqual([
      'remove NetworkPolicy studio-mcp',
      'remove NetworkPolicy studio-api',
      'remove NetworkPolicy studio-sandbox',
    ]);
    const upstream = { provider: 'Kling', apiKeySecretRef: { name: 'kling', key: 'apiKey' } };
    expect(about(await done({ networkPolicy, upstream }, policies), /sandbox/)).toEqual([
      'remove NetworkPolicy studio-sandbox',
    ]);
  });

  it('a budget is there for several pods, and goes with the last but one', async () => {
    const budget = there('PodDisruptionBudget', 'studio-mcp');
    expect(about(await done({}), /Budget/)).toEqual(['keep PodDisruptionBudget studio-mcp']);
    expect(about(await done({ mcp: { replicas: 1 } }, [budget]), /Budget/)).toEqual([
      'remove PodDisruptionBudget studio-mcp',
    ]);
  });

  it('the number of pods is handed over before the autoscaler comes, and owned again after it went', async () => {
    const autoscaling = { min: 2, max: 8, cpuPercent: 70 };
    const managedFields = [
      { manager: FIELD_MANAGER, operation: 'Apply', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
    ];
    const deployment = { ...there('Deployment', 'studio-mcp', { managedFields }), spec: { replicas: 5 } };
    const scaling = /hand over|Autoscaler|keep Deployment studio-mcp/;
    expect(about(await done({ mcp: { replicas: 5, autoscaling } }, [deployment]), scaling)).toEqual([
      'hand over Deployment 5',
      'keep Deployment studio-mcp',
      'keep HorizontalPodAutoscaler studio-mcp',
    ]);
    const scaler = there('HorizontalPodAutoscaler', 'studio-mcp');
    expect(about(await done({ mcp: { replicas: 5 } }, [deployment, scaler]), scaling)).toEqual([
      'remove HorizontalPodAutoscaler studio-mcp',
      'keep Deployment studio-mcp',
    ]);
  });

  it('the API waits for its Secret, everything else goes on', async () => {
    const upstream = { provider: 'Kling', apiKeySecretRef: { name: 'kling', key: 'apiKey' } };
    const workloads = /StatefulSet|keep Deployment/;
    const live = [there('StatefulSet', 'studio-api')];
    expect(about(await done({ upstream }), workloads)).toEqual(['keep Deployment studio-mcp']);
    expect(about(await done({ upstream }, live), workloads)).toEqual(['keep Deployment studio-mcp']);
    const both = ['keep StatefulSet studio-api', 'keep Deployment studio-mcp'];
    expect(about(await done({ upstream }, live, 'key'), workloads)).toEqual(both);
    // no pod, nothing to wait for
    expect(about(await done({ upstream, api: { replicas: 0 } }, live), workloads)).toEqual(both);
  });

  const postgres = { storage: { postgres: { urlSecretRef: { name: 'kling', key: 'apiKey' } } } };
  const api = /studio-api/;

  it('the API is a Deployment on PostgreSQL, and a StatefulSet with its claim on SQLite; what was before goes', async () => {
    const sqlite = [there('StatefulSet', 'studio-api'), there('PersistentVolumeClaim', 'studio-api-data')];
    expect(about(await done({ api: { ...postgres, replicas: 2 } }, sqlite, 'url'), api)).toEqual([
      'remove PersistentVolumeClaim studio-api-data',
      'keep Service studio-api',
      'remove StatefulSet studio-api',
      'keep Deployment studio-api',
      'keep PodDisruptionBudget studio-api',
    ]);
    const scaled = ['Deployment', 'PodDisruptionBudget', 'HorizontalPodAutoscaler'].map((kind) =>
      there(kind, 'studio-api'),
    );
    expect(about(await done({}, scaled), api)).toEqual([
      'keep PersistentVolumeClaim studio-api-data',
      'keep Service studio-api',
      'remove HorizontalPodAutoscaler studio-api',
      'remove PodDisruptionBudget studio-api',
      'remove Deployment studio-api',
      'keep StatefulSet studio-api',
    ]);
  });

  it('a retained claim stays whatever becomes of the storage', async () => {
    const retained = there('PersistentVolumeClaim', 'studio-api-data', { ownerReferences: [] });
    expect(about(await done({ api: postgres }, [retained], 'url'), /Claim/)).toEqual([]);
  });

  it('the API is scaled like MCP', async () => {
    const managedFields = [
      { manager: FIELD_MANAGER, operation: 'Apply', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
    ];
    const deployment = { ...there('Deployment', 'studio-api', { managedFields }), spec: { replicas: 5 } };
    const autoscaling = { min: 2, max: 8, cpuPercent: 70 };
    const steps = await done({ api: { ...postgres, replicas: 5, autoscaling } }, [deployment], 'url');
    expect(about(steps, /hand over|Autoscaler|keep Deployment studio-api/)).toEqual([
      'hand over Deployment 5',
      'keep Deployment studio-api',
      'keep HorizontalPodAutoscaler studio-api',
    ]);
  });

  it('what leads to it follows expose, and the kinds that the cluster has', async () => {
    const expose = {
      ingress: { host: 'kling.example' },
      httpRoute: { parentRefs: [{ name: 'edge' }], hostnames: ['kling.example'] },
    };
    const kinds = /Ingress|HTTPRoute|ServiceMonitor/;
    const both = ['HTTPRoute', 'ServiceMonitor'];
    const monitors = ['keep ServiceMonitor studio-mcp', 'keep ServiceMonitor studio-api'];
    expect(about(await done({ expose }), kinds)).toEqual(['keep Ingress studio']);
    expect(about(await done({ expose }, [], undefined, both), kinds)).toEqual([
      'keep Ingress studio',
      'keep HTTPRoute studio',
      ...monitors,
    ]);
    const live = [there('Ingress', 'studio'), there('HTTPRoute', 'studio'), there('ServiceMonitor', 'studio-mcp')];
    const monitoring = { serviceMonitor: 'Disabled' };
    expect(about(await done({ monitoring }, live, undefined, both), kinds)).toEqual([
      'remove Ingress studio',
      'remove HTTPRoute studio',
      'remove ServiceMonitor studio-mcp',
    ]);
  });

  it('nothing is written while it is paused', async () => {
    expect(await done({ paused: true, networkPolicy: { mode: 'Enabled' } })).toEqual([]);
  });
});
