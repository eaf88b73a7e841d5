import { TOOL_NAMES } from '@klingapi/mcp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { alive, type Case, createCase, quick } from './case.ts';
import { toolsThroughService } from './client.ts';
import { breakPod, faulty } from './faults.ts';
import { getJson, type Json, kubectl } from './kubectl.ts';

let kase: Case;
beforeAll(async () => {
  kase = await createCase('two', { operators: 2 });
  await kase.apply(quick(faulty));
  await kase.ready();
});
afterAll(() => kase?.remove());

it('two operators without election make one delete and one record for one failure', async () => {
  const operators = (
    await getJson(['get', 'pods', '-n', kase.namespace, '-l', 'app.kubernetes.io/name=kling-operator'])
  ).items;
  expect(operators).toHaveLength(2);
  const [broken, other] = alive(await kase.mcpPods());
  await breakPod(kase, broken, '500');
  const record = await kase.repaired();
  expect(record.outcome).toBe('Recovered');
  const object = await kase.ready();
  expect(object.status.repairsTotal).toBe(1);
  expect(object.status.repairs).toHaveLength(1);
  const uids = alive(await kase.mcpPods()).map((pod) => pod.metadata.uid);
  expect(uids).toHaveLength(2);
  expect(uids).toContain(other.metadata.uid);
  const logs = await Promise.all(
    operators.map((pod: Json) => kubectl(['logs', '-n', kase.namespace, pod.metadata.name])),
  );
  const deletions = logs
    .join('\n')
    .split('\n')
    .filter((line) => line.includes('"Pod was deleted"'));
  expect(deletions).toHaveLength(1);
  expect(await toolsThroughService(kase.namespace, kase.mcpUrl(), await kase.callerKey())).toEqual([...TOOL_NAMES]);
});
