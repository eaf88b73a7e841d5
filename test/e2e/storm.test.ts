/** Several KlingApis that fall silent together: the cause is hardly in each of them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { alive, type Case, condition, createCase } from './case.ts';
import { hang, resume } from './faults.ts';
import { waitFor } from './wait.ts';

const names = ['one', 'two', 'three'];
let kase: Case;

beforeAll(async () => {
  kase = await createCase('storm');
  for (const name of names) {
    // MCP pods are all this is about
    await kase.apply(
      {
        upstream: { provider: 'Sandbox' },
        api: { replicas: 0 },
        mcp: { replicas: 1, handshake: { periodSeconds: 3, timeoutSeconds: 2 } },
      },
      name,
    );
  }
  for (const name of names) {
    await waitFor(async () => (await kase.klingApi(name)).status?.mcp?.pods?.[0]?.verdict === 'Serving', {
      what: `the MCP pod of ${name} to serve`,
      timeoutMs: 120_000,
    });
  }
});
afterAll(() => kase?.remove());

it('holds repairs back and says so, until fewer of them are silent', async () => {
  const pods = await Promise.all(names.map(async (name) => alive(await kase.mcpPods(name))[0]));
  await Promise.all(pods.map((pod) => hang(kase, pod)));
  const held = await waitFor(
    async () => {
      const objects = await Promise.all(names.map((name) => kase.klingApi(name)));
      if (objects.every((object) => condition(object, 'StormActive')?.status === 'True')) return objects;
      throw new Error(JSON.stringify(objects.map(({ status }) => status)));
    },
    { what: 'StormActive on all three', everyMs: 1_000 },
  );
  expect(condition(held[0], 'StormActive')?.message).toContain('3 of 3 KlingApis fell silent');
  expect(held.map((object) => object.status.repairsTotal)).toEqual([0, 0, 0]);
  const uids = await Promise.all(names.map(async (name) => alive(await kase.mcpPods(name))[0].metadata.uid));
  expect(uids).toEqual(pods.map((pod) => pod.metadata.uid));

  await resume(kase, pods[0]);
  await Promise.all(names.slice(1).map((name) => kase.repaired(1, name)));
  expect((await kase.klingApi('one')).status.repairsTotal).toBe(0);
  const after = await kase.klingApi('two');
  expect(condition(after, 'StormActive')).toBeUndefined();
  expect(after.status.repairs[0]).toMatchObject({ diagnosis: 'ProcessHung' });
});
