import { describe, expect, it } from 'vitest';
import { FIELD_MANAGER } from './applier.ts';
import { handOverReplicas, REPLICAS_MANAGER, replicasPlan } from './replicas.ts';

const live = (manager: string, replicas: number) => ({
  metadata: { managedFields: [{ manager, operation: 'Apply', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }] },
  spec: { replicas, selector: {}, template: {} },
});

describe('who owns the number of pods', () => {
  it.each([
    ['set: it is owned', 3, live(REPLICAS_MANAGER, 5), { apply: 3, handOver: false }],
    ['unset at creation: applied once', undefined, undefined, { apply: 2, handOver: false }],
    ['unset after creation: handed over', undefined, live(FIELD_MANAGER, 4), { apply: undefined, handOver: true }],
    ['unset and handed over: left alone', undefined, live(REPLICAS_MANAGER, 4), { apply: undefined, handOver: false }],
    ['unset and scaled by a person: left alone', undefined, live('kubectl', 7), { apply: undefined, handOver: false }],
  ])('%s', (_, wanted, deployment, expected) => {
    expect(replicasPlan(wanted, deployment, 2)).toEqual(expected);
  });
});

describe('handing over', () => {
  const handedOver = async (deployment: ReturnType<typeof live>): Promise<unknown[]> => {
    const applied: unknown[] = [];
    const client = {
      get: async () => ({
        ...deployment,
        metadata: { ...deployment.metadata, uid: 'u1', resourceVersion: '7' },
      }),
      apply: async (object: unknown, options: unknown) => void applied.push(object, options),
    } as unknown as Parameters<typeof handOverReplicas>[0];
    await handOverReplicas(client, 'media', 'studio-mcp');
    return applied;
  };

  it('writes the number of this moment, and only if nothing changes meanwhile', async () => {
    const metadata = { name: 'studio-mcp', namespace: 'media', uid: 'u1', resourceVersion: '7' };
    expect(await handedOver(live(FIELD_MANAGER, 4))).toEqual([
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 4 } },
      { fieldManager: REPLICAS_MANAGER, force: true },
    ]);
  });

  it('leaves alone what somebody scaled before the cache was told of it', async () => {
    expect(await handedOver(live('kubectl', 4))).toEqual([]);
  });
});
