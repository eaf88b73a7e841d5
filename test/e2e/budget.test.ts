import { afterAll, beforeAll, expect, it } from 'vitest';
import { alive, type Case, condition, createCase } from './case.ts';
import { faulty } from './faults.ts';
import { getJson, type Json, kubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

let kase: Case;
beforeAll(async () => {
  kase = await createCase('budget');
  await kase.apply({
    upstream: { provider: 'Sandbox' },
    mcp: {
      ...faulty,
      replicas: 1,
      env: [{ name: 'FAULT', value: '500' }],
      handshake: { periodSeconds: 2, timeoutSeconds: 1, failureThreshold: 2, startupGraceSeconds: 5 },
    },
    remediation: {
      unhealthySeconds: 2,
      budget: { repairs: 2, windowSeconds: 3600 },
      backoff: { initialSeconds: 1, maxSeconds: 2 },
    },
  });
});
afterAll(() => kase?.remove());

it('the budget stops the repairs of a pod that always fails, and says so', async () => {
  const seen = new Set<string>();
  const exhausted = await waitFor(
    async () => {
      for (const pod of await kase.mcpPods()) seen.add(pod.metadata.uid);
      const object = await kase.klingApi();
      return condition(object, 'RemediationExhausted')?.status === 'True' && object;
    },
    { what: 'RemediationExhausted', timeoutMs: 180_000 },
  );
  expect(exhausted.status.repairsTotal).toBe(2);
  expect(exhausted.status.repairs.map((record: Json) => record.outcome)).toEqual(['Failed', 'Failed']);
  expect(seen.size).toBe(3);

  // the last one is left alone, for ten times as long as a repair would have taken
  const [last] = alive(await kase.mcpPods());
  const until = Date.now() + 20_000;
  await waitFor(
    async () => {
      expect(alive(await kase.mcpPods()).map((pod) => pod.metadata.uid)).toEqual([last.metadata.uid]);
      return Date.now() >= until;
    },
    { what: 'twenty quiet seconds', timeoutMs: 40_000, everyMs: 2_000 },
  );
  const events = await getJson(['get', 'events.events.k8s.io', '-n', kase.namespace]);
  expect(events.items.some((event: Json) => event.reason === 'RemediationExhausted')).toBe(true);

  // a new value of the annotation asks for one more
  await kubectl(['annotate', '-n', kase.namespace, 'klingapi/studio', 'klingapi.dev/repair=now']);
  await waitFor(async () => (await kase.klingApi()).status.repairsTotal === 3, {
    what: 'the repair that was asked for',
  });
});
