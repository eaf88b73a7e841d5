/** Only what is ours goes, and only the object that was seen. */
import { describe, expect, it } from 'vitest';
import { disruptionBudget } from '../children/disruption-budget.ts';
import { KubeError } from '../kube/errors.ts';
import { klingApiOf } from '../testing.ts';
import { removeChild } from './remove.ts';

const klingApi = klingApiOf();
const child = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', name: 'studio-mcp' };

function world(metadata: object | undefined, answer?: KubeError) {
  const deleted: unknown[] = [];
  const deps = {
    caches: { child: () => (metadata === undefined ? undefined : { metadata }) },
    client: {
      async delete(ref: object, options: object) {
        deleted.push({ ...ref, ...options });
        if (answer !== undefined) throw answer;
      },
    },
    log: { info: () => {} },
  } as unknown as Parameters<typeof removeChild>[2];
  return { deleted, remove: () => removeChild(klingApi, child, deps) };
}
const ours = { ...disruptionBudget(klingApi, 'mcp').metadata, uid: 'budget-1' };

describe('removing a child', () => {
  it('deletes the object that was seen', async () => {
    const { deleted, remove } = world(ours);
    await remove();
    expect(deleted).toEqual([{ ...child, namespace: 'media', uid: 'budget-1' }]);
  });

  it.each([
    ['there is none', undefined],
    ['it belongs to somebody else', { ...ours, ownerReferences: [] }],
    ['it is ending', { ...ours, deletionTimestamp: new Date(0) }],
  ])('does nothing where %s', async (_, metadata) => {
    const { deleted, remove } = world(metadata);
    await remove();
    expect(deleted).toEqual([]);
  });

  it('takes "gone already" for done, and nothing else', async () => {
    await world(ours, new KubeError({ code: 'NotFound', status: 404, message: 'none' })).remove();
    await expect(
      world(ours, new KubeError({ code: 'ServerError', status: 500, message: 'no' })).remove(),
    ).rejects.toThrow(KubeError);
  });
});
