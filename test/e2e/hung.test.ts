import { TOOL_NAMES } from '@klingapi/mcp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { alive, type Case, createCase, podIsReady, quick } from './case.ts';
import { toolsThroughService } from './client.ts';
import { hang } from './faults.ts';

let kase: Case;
beforeAll(async () => {
  kase = await createCase('hung');
  await kase.apply(quick({ replicas: 1 }));
  await kase.ready();
});
afterAll(() => kase?.remove());

it('a single pod whose process is stopped (SIGSTOP) is replaced at once', async () => {
  const [broken] = alive(await kase.mcpPods());
  await hang(kase, broken);
  const record = await kase.repaired();
  expect(record).toMatchObject({ podUid: broken.metadata.uid, diagnosis: 'ProcessHung', outcome: 'Recovered' });
  const pods = alive(await kase.mcpPods());
  expect(pods).toHaveLength(1);
  expect(podIsReady(pods[0])).toBe(true);
  expect(pods[0].metadata.uid).not.toBe(broken.metadata.uid);
  expect((await kase.klingApi()).status.repairsTotal).toBe(1);
  expect(await toolsThroughService(kase.namespace, kase.mcpUrl(), await kase.callerKey())).toEqual([...TOOL_NAMES]);
});
