/** The original fault: port open, health green, every MCP request HTTP 500. */

import { klingApiSchema, repairReport } from '@klingapi/operator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alive, type Case, condition, createCase, podIsReady, quick } from './case.ts';
import { breakPod, faulty } from './faults.ts';
import { getJson, type Json, kubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';
import { watch } from './watcher.ts';

let kase: Case;
beforeAll(async () => {
  kase = await createCase('repair');
  await kase.apply(quick(faulty));
  await kase.ready();
});
afterAll(() => kase?.remove());

describe('an MCP server whose session manager is dead', () => {
  it('is repaired, and nothing else is touched', async () => {
    const before = await kase.pods();
    const [broken, other] = alive(await kase.mcpPods());
    const service = await getJson(['get', 'service', 'studio-mcp', '-n', kase.namespace]);
    const client = watch({
      url: `http://${service.spec.clusterIP}:5510/mcp/v1`,
      hostHeader: `studio-mcp.${kase.namespace}.svc:5510`,
      key: await kase.callerKey(),
    });
    await waitFor(async () => client.samples.filter((sample) => sample.ok).length >= 5, {
      what: 'the client to be served before the fault',
    });
    const brokenAt = Date.now();
    await breakPod(kase, broken, 'session-manager');

    // what a plain health check sees
    const livez = await fetch(`http://${broken.status.podIP}:9090/livez`);
    expect(livez.status).toBe(200);

    const record = await kase.repaired();
    const after = await kase.ready();
    const samples = await client.stop();

    expect(record).toMatchObject({
      pod: broken.metadata.name,
      podUid: broken.metadata.uid,
      diagnosis: 'SessionManagerDown',
      action: 'RestartPod',
      outcome: 'Recovered',
      attempt: 1,
    });
    expect(record.verification.summary).toBe('3/3');
    expect(record.evidence.httpStatus).toBe(500);
    expect(record.evidence.log).toContain('Task group is not initialized');
    expect(record.steps.map((step: Json) => step.name)).toEqual([
      'HandshakeFailed',
      'Diagnosed',
      'PodDeleted',
      'ReplacementStarted',
      'Serving',
      'Verified',
    ]);

    // the cluster, from outside
    const pods = alive(await kase.mcpPods());
    expect(pods).toHaveLength(2);
    expect(pods.every(podIsReady)).toBe(true);
    const uids = pods.map((pod) => pod.metadata.uid);
    expect(uids).not.toContain(broken.metadata.uid);
    expect(uids).toContain(other.metadata.uid);
    const bystanders = before.filter((pod) => pod.metadata.uid !== broken.metadata.uid);
    const now = await kase.pods();
    for (const pod of bystanders) {
      const same = now.find((entry) => entry.metadata.uid === pod.metadata.uid);
      expect(same, pod.metadata.name).toBeDefined();
      expect(
        same.status.containerStatuses.every((status: Json) => status.restartCount === 0),
        pod.metadata.name,
      ).toBe(true);
    }

    // the independent client: no failure once the kubelet had taken the pod out
    const failures = samples.filter((sample) => !sample.ok);
    const last = Math.max(brokenAt, ...failures.map((sample) => sample.at));
    expect(last - brokenAt).toBeLessThan(15_000);
    expect(samples.at(-1)?.ok).toBe(true);

    // what people read
    expect(condition(after, 'Degraded')).toBeUndefined();
    const events = await getJson(['get', 'events.events.k8s.io', '-n', kase.namespace]);
    const reasons = events.items
      .filter((event: Json) => event.regarding?.kind === 'KlingApi')
      .map((event: Json) => event.reason);
    expect(reasons).toEqual(expect.arrayContaining(['HandshakeFailing', 'RepairStarted', 'Repaired']));
    const report = repairReport(
      { name: 'studio', namespace: kase.namespace },
      klingApiSchema.parse(after).status!.repairs![0]!,
    );
    expect(report).toContain('**SessionManagerDown.**');
    expect(report).toContain('**3/3** checks passed');
    const operator = (
      await getJson(['get', 'pods', '-n', kase.namespace, '-l', 'app.kubernetes.io/name=kling-operator'])
    ).items[0];
    const metrics = await (await fetch(`http://${operator.status.podIP}:9090/metrics`)).text();
    expect(metrics).toMatch(
      /klingoperator_repairs_total\{[^}]*diagnosis="SessionManagerDown"[^}]*outcome="Recovered"[^}]*\} 1/,
    );
    const key = await kase.callerKey();
    const log = await kubectl(['logs', '-n', kase.namespace, operator.metadata.name]);
    for (const text of [log, JSON.stringify(events), JSON.stringify(after), metrics]) expect(text).not.toContain(key);
  });
});
