/** What a repair has come to is in the status alone: an operator that dies in the middle of it is followed by the next one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alive, type Case, createCase, quick } from './case.ts';
import { breakPod, faulty } from './faults.ts';
import { type Json, kubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

let kase: Case;
beforeAll(async () => {
  kase = await createCase('operator-dies');
  // each fault an incident of its own, and none of them waits for the one before
  const remediation = { minHealthySeconds: 1, backoff: { initialSeconds: 1, maxSeconds: 2 }, budget: { repairs: 20 } };
  await kase.apply(quick(faulty, { remediation }));
  await kase.ready();
});
afterAll(() => kase?.remove());

const killOperator = (): Promise<string> =>
  kubectl([
    'delete',
    'pods',
    '-n',
    kase.namespace,
    '-l',
    'app.kubernetes.io/name=kling-operator',
    '--grace-period=0',
    '--force',
    '--wait=false',
  ]);

describe('an operator that is killed', () => {
  it.each(['Diagnosed', 'PodDeleted', 'ReplacementStarted', 'Serving'])('after the step %s', async (name) => {
    const before = alive(await kase.mcpPods());
    const total = (await kase.klingApi()).status.repairsTotal ?? 0;
    const seen = new Set<string>(before.map((pod) => pod.metadata.uid));
    await breakPod(kase, before[0], 'session-manager');
    await waitFor(
      async () => {
        const record: Json = (await kase.klingApi()).status.repairs?.[0];
        return record?.podUid === before[0].metadata.uid && record.steps.some((step: Json) => step.name === name);
      },
      { what: `the step ${name}`, timeoutMs: 60_000, everyMs: 50 },
    );
    await killOperator();
    const record = await waitFor(
      async () => {
        for (const pod of await kase.mcpPods()) seen.add(pod.metadata.uid);
        const newest: Json = (await kase.klingApi()).status.repairs[0];
        if (newest.outcome !== undefined) return newest;
        throw new Error(JSON.stringify(newest.steps));
      },
      { what: 'the repair to end', timeoutMs: 150_000 },
    );
    expect(record).toMatchObject({ podUid: before[0].metadata.uid, outcome: 'Recovered' });
    expect((await kase.klingApi()).status.repairsTotal, 'one repair').toBe(total + 1);
    expect(seen.size, 'one pod was replaced by one').toBe(before.length + 1);
    await kase.ready();
  });
});
