/** A new default image comes with the operator: one KlingApi after the other, each verified before the next. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Case, condition, createCase, quick } from './case.ts';
import { getJson, type Json } from './kubectl.ts';
import { waitFor } from './wait.ts';

const names = ['one', 'two'];
let kase: Case;

beforeAll(async () => {
  kase = await createCase('turns', { values: ['maxConcurrentRollouts=1'] });
  for (const name of names) await kase.apply(quick({ replicas: 1 }), name);
  for (const name of names) await kase.ready(name);
});
afterAll(() => kase?.remove());

it('rolls no more of them at a time than maxConcurrentRollouts', async () => {
  const before = await Promise.all(names.map((name) => kase.klingApi(name)));
  await kase.upgrade(['maxConcurrentRollouts=1', 'images.mcp.repository=kling-test-mcp-faults']);
  const queued = new Set<string>();
  await waitFor(
    async () => {
      const objects = await Promise.all(names.map((name) => kase.klingApi(name)));
      const deployments: Json[] = (
        await getJson(['get', 'deployments', '-n', kase.namespace, '-l', 'app.kubernetes.io/component=mcp'])
      ).items;
      const news = deployments.filter((entry) => JSON.stringify(entry.spec.template).includes('kling-test-mcp-faults'));
      const unverified = objects.filter(
        ({ status }, index) =>
          news.some((entry) => entry.metadata.name === `${names[index]}-mcp`) &&
          (status.revisions.verified !== status.revisions.current ||
            status.revisions.current === before[index]?.status.revisions.current),
      );
      expect(unverified.length, 'KlingApis that roll at once').toBeLessThanOrEqual(1);
      for (const object of objects)
        if (condition(object, 'Reconciling')?.reason === 'RolloutQueued') queued.add(object.metadata.name);
      return news.length === 2 && unverified.length === 0;
    },
    { what: 'both to be rolled', timeoutMs: 180_000, everyMs: 500 },
  );
  expect(queued.size, 'one had to wait').toBe(1);
});
