/** A node that does not report, made for real: its kubelet is stopped for a minute, and nothing of the pods on it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { daemonPid } from '../../cluster/index.ts';
import { type Case, condition, createCase } from '../case.ts';
import { diagnosed, eventReasons, livePod, lonely, upstreamSecret } from '../diagnosis.ts';
import { waitFor } from '../wait.ts';

const ownNode = process.env['CLUSTER'] === undefined;
let kase: Case;
let stopped: number | undefined;
const goOn = (): void => {
  if (stopped !== undefined) process.kill(stopped, 'SIGCONT');
  stopped = undefined;
};

beforeAll(async () => {
  if (!ownNode) return;
  kase = await createCase('node-lost');
  await upstreamSecret(kase, { any: 'x' });
  await kase.apply(lonely({}), 'lost');
  await diagnosed(kase, 'lost', undefined);
});
afterAll(async () => {
  goOn();
  await kase?.remove();
});

it.runIf(ownNode)('a pod whose node does not report is neither called hung nor touched', async () => {
  const pod = await livePod(kase, 'lost');
  stopped = daemonPid('kubelet');
  process.kill(stopped, 'SIGSTOP');
  const object = await diagnosed(kase, 'lost', 'NodeNotReady', 180_000);
  expect(condition(object, 'McpAvailable')).toMatchObject({ status: 'False', reason: 'NodeNotReady' });
  expect(condition(object, 'McpAvailable')?.message).toContain(pod.spec.nodeName);
  await waitFor(async () => (await eventReasons(kase)).get('lost')?.has('NodeNotReady'), {
    what: 'an Event NodeNotReady',
    timeoutMs: 30_000,
  });
  goOn();
  const after = await diagnosed(kase, 'lost', undefined);
  expect(after.status.repairsTotal ?? 0).toBe(0);
  expect((await livePod(kase, 'lost')).metadata.uid).toBe(pod.metadata.uid);
});
