import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Case, createCase, quick } from './case.ts';
import { getJson, type Json, kubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

const KINDS =
  'deployments,statefulsets,replicasets,pods,services,serviceaccounts,secrets,configmaps,persistentvolumeclaims,poddisruptionbudgets,networkpolicies,horizontalpodautoscalers,ingresses,controllerrevisions';
let kase: Case;
beforeAll(async () => {
  kase = await createCase('removal');
});
afterAll(() => kase?.remove());

const left = async (name: string): Promise<string[]> =>
  (await getJson(['get', KINDS, '-n', kase.namespace])).items
    .filter((item: Json) => item.metadata.name === name || item.metadata.name.startsWith(`${name}-`))
    .map((item: Json) => `${item.kind}/${item.metadata.name}`)
    .sort();

it('deleting a KlingApi leaves a retained claim and nothing else, and a new one of that name takes it again', async () => {
  await kase.apply(quick(), 'kept');
  await kase.ready('kept');
  const claim = await getJson(['get', 'pvc', 'kept-api-data', '-n', kase.namespace]);
  await kubectl(['delete', 'klingapi', 'kept', '-n', kase.namespace]);
  await waitFor(async () => (await left('kept')).join() === 'PersistentVolumeClaim/kept-api-data', {
    what: 'everything but the claim to go',
    timeoutMs: 90_000,
  });
  await kase.apply(quick(), 'kept');
  await kase.ready('kept');
  expect((await getJson(['get', 'pvc', 'kept-api-data', '-n', kase.namespace])).metadata.uid).toBe(claim.metadata.uid);
});

it('with reclaim: Delete nothing is left', async () => {
  await kase.apply(
    quick({}, { api: { storage: { sqlite: { reclaim: 'Delete' } } }, expose: { ingress: { host: 'gone.example' } } }),
    'gone',
  );
  await kase.ready('gone');
  await kubectl(['delete', 'klingapi', 'gone', '-n', kase.namespace]);
  await waitFor(async () => (await left('gone')).length === 0, { what: 'everything to go', timeoutMs: 90_000 });
});

it('an object that is not ours is never adopted', async () => {
  await kubectl(['create', 'service', 'clusterip', 'strange-mcp', '--tcp=80:80', '-n', kase.namespace]);
  const before = await getJson(['get', 'service', 'strange-mcp', '-n', kase.namespace]);
  await kase.apply(quick(), 'strange');
  const object = await waitFor(
    async () => {
      const seen = await kase.klingApi('strange');
      return (
        seen.status?.conditions?.some((entry: Json) => entry.type === 'Stalled' && entry.status === 'True') && seen
      );
    },
    { what: 'Stalled' },
  );
  expect(object.status.conditions.find((entry: Json) => entry.type === 'Stalled')).toMatchObject({
    reason: 'ForeignObject',
    message: expect.stringContaining('strange-mcp'),
  });
  expect((await getJson(['get', 'service', 'strange-mcp', '-n', kase.namespace])).metadata.resourceVersion).toBe(
    before.metadata.resourceVersion,
  );
});
