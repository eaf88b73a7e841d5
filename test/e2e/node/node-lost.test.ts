/** A node that does not report, made for real: its kubelet is stopped for a minute, and nothing of the pods on it. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { daemonPid } from '../../cluster/index.ts';
import { type Case, condition, createCase, podIsReady } from '../case.ts';
import { diagnosed, eventReasons, livePod, lonely, operatorPod, upstreamSecret } from '../diagnosis.ts';
import { getJson, type Json } from '../kubectl.ts';
import { waitFor } from '../wait.ts';

const ownNode = process.env['CLUSTER'] === undefined;
let kase: Case;
let stopped: number | undefined;
const goOn = (): void => {
  if (stopped !== undefined) process.kill(stopped, 'SIGCONT');
  stopped = undefined;
};

/** What the cluster itself says of node and pod, and whether there is an operator to say more; for the message. */
async function seenByTheCluster(pod: Json, process: number): Promise<string> {
  const ready = ({ status }: Json) =>
    status.conditions
      .filter(({ type }: Json) => /Ready$/.test(type))
      .map((entry: Json) => `${entry.type}=${entry.status} since ${entry.lastTransitionTime}`);
  const state = (await readFile(`/proc/${process}/stat`, 'utf8')).split(') ')[1]?.[0];
  const node = await getJson(['get', 'node', pod.spec.nodeName]);
  const { status } = await operatorPod(kase);
  const operator = await fetch(`http://${status.podIP}:9090/livez`, { signal: AbortSignal.timeout(5_000) })
    .then((reply) => reply.status)
    .catch((error: Error) => String(error.cause ?? error));
  return JSON.stringify({ kubelet: state, operator, node: ready(node), pod: ready(await livePod(kase, 'lost')) });
}

beforeAll(async () => {
  if (!ownNode) return;
  // an operator that loses its Lease ends, and without a kubelet nobody starts it again
  kase = await createCase('node-lost', { values: ['leaderElection.enabled=false'] });
  await upstreamSecret(kase, { any: 'x' });
  await kase.apply(lonely({}), 'lost');
  await diagnosed(kase, 'lost', undefined);
});
afterAll(async () => {
  goOn();
  await kase?.remove();
});

it.runIf(ownNode)('a pod whose node does not report is neither called hung nor touched', async () => {
  // the operator sees it serve before the kubelet does, and a pod that was never ready cannot cease to be
  const pod = await waitFor(
    async () => {
      const live = await livePod(kase, 'lost');
      return podIsReady(live) && live;
    },
    { what: 'the kubelet to find the pod ready', timeoutMs: 60_000 },
  );
  const kubelet = daemonPid('kubelet');
  stopped = kubelet;
  process.kill(kubelet, 'SIGSTOP');
  const object = await diagnosed(kase, 'lost', 'NodeNotReady', 180_000).catch(async (error: Error) => {
    throw new Error(`${error.message}; ${await seenByTheCluster(pod, kubelet)}`);
  });
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
