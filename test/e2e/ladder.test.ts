/** What follows where restarting one pod does not help. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { alive, type Case, condition, createCase, quick } from './case.ts';
import { breakPod, faulty } from './faults.ts';
import type { Json } from './kubectl.ts';
import { waitFor } from './wait.ts';

let kase: Case;
const handshake = { periodSeconds: 3, timeoutSeconds: 2, failureThreshold: 2, startupGraceSeconds: 5 };
/** What has to recover here must not fail because the machine is busy. */
const patient = { periodSeconds: 6, timeoutSeconds: 5, failureThreshold: 2, startupGraceSeconds: 60 };
const remediation = { unhealthySeconds: 2, backoff: { initialSeconds: 1, maxSeconds: 2 } };

beforeAll(async () => {
  kase = await createCase('ladder');
});
afterAll(() => kase?.remove());

it('goes from one pod to all pods, and stops where that does not help either', async () => {
  await kase.apply(
    quick({ ...faulty, replicas: 1, env: [{ name: 'FAULT', value: '500' }], handshake }, { remediation }),
    'lasting',
  );
  const exhausted = await waitFor(
    async () => {
      const object = await kase.klingApi('lasting');
      return condition(object, 'RemediationExhausted')?.status === 'True' && object;
    },
    { what: 'RemediationExhausted', timeoutMs: 240_000, everyMs: 1_000 },
  );
  expect(condition(exhausted, 'RemediationExhausted')).toMatchObject({ reason: 'LadderSpent' });
  const records: Json[] = exhausted.status.repairs.toReversed();
  expect(records.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
    'RestartPod Failed',
    'RestartPod Failed',
    'RolloutRestart Failed',
  ]);
  expect(exhausted.status.remediation).toMatchObject({ rung: 'RolloutRestart', exhaustedReason: 'LadderSpent' });
});

it('restarts all pods at once where more of them fail than the budget has repairs', async () => {
  await kase.apply(
    quick(
      { ...faulty, replicas: 2, handshake: patient },
      { remediation: { ...remediation, unhealthySeconds: 15, budget: { repairs: 1 } } },
    ),
  );
  await kase.ready();
  const before = alive(await kase.mcpPods());
  await Promise.all(before.map((pod) => breakPod(kase, pod, 'session-manager')));
  const record = await kase.repaired();
  expect(record, JSON.stringify(record)).toMatchObject({
    action: 'RolloutRestart',
    outcome: 'Recovered',
    diagnosis: 'SessionManagerDown',
  });
  expect(record.steps.map((step: Json) => step.name)).toEqual(
    expect.arrayContaining(['Diagnosed', 'RolloutRestarted', 'ReplacementStarted', 'Serving', 'Verified']),
  );
  const after = alive(await kase.mcpPods());
  expect(after).toHaveLength(2);
  for (const pod of after) {
    expect(before.map((entry) => entry.metadata.uid)).not.toContain(pod.metadata.uid);
    expect(pod.metadata.annotations['klingapi.dev/restarted-at']).toBe(record.startedAt);
  }
  expect((await kase.klingApi()).status.repairsTotal).toBe(1);
});

it('goes back to the verified revision where the one that runs was never verified', async () => {
  const handshakes = { ...handshake, startupGraceSeconds: 30 };
  const verified = { ...faulty, replicas: 1, handshake: handshakes };
  await kase.apply(quick(verified, { remediation }), 'back');
  const { revisions } = (await kase.ready('back')).status;
  // without an API pod nothing is verified; the pods of the new revision serve for a while, each of them
  const env = [
    { name: 'FAULT', value: '500' },
    { name: 'FAULT_AFTER_SERVING_SECONDS', value: '20' },
  ];
  await kase.apply(quick({ ...verified, env }, { remediation, api: { replicas: 0 } }), 'back');
  const object = await waitFor(
    async () => {
      const seen = await kase.klingApi('back');
      const [newest] = seen.status.repairs ?? [];
      if (newest?.action === 'Rollback' && newest.outcome !== undefined) return seen;
      throw new Error(JSON.stringify({ repairs: seen.status.repairs, revisions: seen.status.revisions }));
    },
    { what: 'the verified revision to be applied again', timeoutMs: 300_000, everyMs: 1_000 },
  );
  expect(object.status.repairs.map(({ action, trigger }: Json) => `${action} by ${trigger}`).toReversed()).toEqual([
    'RestartPod by Handshake',
    'RestartPod by Handshake',
    'RolloutRestart by Handshake',
    'Rollback by Handshake',
  ]);
  expect(object.status.repairs[0]).toMatchObject({ outcome: 'Recovered', rolledBackTo: revisions.verified });
  expect(object.status.revisions).toMatchObject({ current: revisions.verified, verified: revisions.verified });
  expect(condition(object, 'Stalled')).toMatchObject({ reason: 'RolledBack' });
});
