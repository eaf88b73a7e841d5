/** What the API server will refuse again is told, not tried for ever in silence. */
import type { KubernetesObject } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { service } from '../children/service.ts';
import { KubeError } from '../kube/errors.ts';
import { klingApiOf } from '../testing.ts';
import { createApplier, FIELD_MANAGER } from './applier.ts';
import { StalledError } from './foreign.ts';

const klingApi = klingApiOf();
const applied = (status: number, code: KubeError['code'], message: string) => {
  const client = {
    get: async () => Promise.reject(new KubeError({ code: 'NotFound', status: 404, message: 'none' })),
    apply: async () => Promise.reject(new KubeError({ code, status, message })),
  };
  return createApplier({ ...client, mergePatch: client.apply }).apply(
    service(klingApi, 'mcp'),
    undefined,
    klingApi.metadata,
  );
};

it.each([
  [422, 'Invalid', 'spec.ports: Required value'],
  [403, 'Forbidden', 'exceeded quota'],
  [400, 'BadRequest', 'error decoding YAML: yaml: control characters are not allowed'],
  [
    500,
    'ServerError',
    'failed to create typed patch object (media/studio-mcp; apps/v1, Kind=Deployment): .spec.template.spec.volumes: duplicate entries for key [name="tmp"]',
  ],
] as const)('%i of the API server stalls', async (status, code, message) => {
  await expect(applied(status, code, message)).rejects.toThrow(StalledError);
});

it.each([
  [500, 'ServerError', 'failed calling webhook'],
  [403, 'Forbidden', 'unable to create new content in namespace media because it is being terminated'],
  [403, 'Forbidden', 'cannot set blockOwnerDeletion in this case because cannot find RESTMapping for Kind KlingApi'],
  [409, 'Conflict', 'the object has been modified'],
] as const)('%i that may pass is tried again', async (status, code, message) => {
  await expect(applied(status, code, message)).rejects.toThrow(KubeError);
});

describe('an edit that stands in the way of its own undoing', () => {
  const desired = service(klingApi, 'mcp');
  const live = { ...desired, metadata: { ...desired.metadata, uid: 'service-1' } };
  const refusal = new KubeError({
    code: 'Invalid',
    status: 422,
    message: 'spec.ports[1].name: Duplicate value: "http"',
  });
  const world = (mends: boolean) => {
    const calls: unknown[] = [];
    let mended = false;
    const ours = { manager: FIELD_MANAGER, operation: 'Apply' };
    const client = {
      get: async () => live,
      async apply() {
        calls.push('apply');
        if (!mended) throw refusal;
        return live;
      },
      async mergePatch(_: object, change: object) {
        calls.push(change);
        if (!mends) throw refusal;
        mended = true;
        const managedFields = [ours, { manager: 'kubectl-patch', operation: 'Update' }];
        return { ...live, metadata: { ...live.metadata, managedFields } };
      },
    };
    const applier = createApplier(client as unknown as Parameters<typeof createApplier>[0]);
    return { calls, ours, apply: () => applier.apply(desired, live, klingApi.metadata) };
  };

  it('is taken back, and nobody else owns anything then', async () => {
    const { calls, ours, apply } = world(true);
    expect(await apply()).toMatchObject({ outcome: 'Unchanged' });
    expect(calls).toEqual(['apply', { spec: desired.spec }, { metadata: { managedFields: [ours] } }, 'apply']);
  });

  it('stalls where the desired object itself is refused', async () => {
    const { calls, apply } = world(false);
    await expect(apply()).rejects.toThrow(StalledError);
    expect(calls).toEqual(['apply', { spec: desired.spec }]);
  });
});

it('trusts its last answer over a cache that has not seen it yet', async () => {
  const desired = service(klingApi, 'mcp');
  const fieldsV1 = { 'f:spec': {} };
  const managedFields = [{ manager: FIELD_MANAGER, operation: 'Apply', fieldsV1 }];
  const at = (generation: number) => ({
    ...desired,
    metadata: { ...desired.metadata, uid: 'service-1', generation, managedFields },
  });
  let applies = 0;
  const client = {
    get: async () => at(1),
    async apply() {
      applies += 1;
      return at(2);
    },
    mergePatch: async () => at(2),
  };
  const applier = createApplier(client as unknown as Parameters<typeof createApplier>[0]);
  const generationOf = async (cached: number) =>
    (await applier.apply<KubernetesObject>(desired, at(cached), klingApi.metadata)).object.metadata?.generation;
  expect(await generationOf(1)).toBe(2);
  expect(await generationOf(1), 'the cache is behind').toBe(2);
  expect(await generationOf(3), 'the cache is ahead').toBe(3);
  expect(applies).toBe(1);
});
