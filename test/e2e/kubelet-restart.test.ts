/** What the kubelet's liveness probe did while there was no operator is written down by the next one. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { alive, type Case, createCase } from './case.ts';
import { diagnosed, eventReasons, livePod, lonely, upstreamSecret } from './diagnosis.ts';
import { hang } from './faults.ts';
import { type Json, kubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

let kase: Case;
const scaleOperator = (replicas: number): Promise<string> =>
  kubectl(['scale', 'deployment/operator-kling-operator', '-n', kase.namespace, `--replicas=${replicas}`]);
const patchDeployment = (spec: Json): Promise<string> =>
  kubectl(['patch', 'deployment', 'alone-mcp', '-n', kase.namespace, '-p', JSON.stringify({ spec })]);

beforeAll(async () => {
  kase = await createCase('liveness');
  await upstreamSecret(kase, { any: 'x' });
  await kase.apply(lonely({}), 'alone');
  await diagnosed(kase, 'alone', undefined);
});
afterAll(() => kase?.remove());

it('a hung process that the kubelet restarted while the operator was down is in the records, once', async () => {
  const first = await livePod(kase, 'alone');
  await scaleOperator(0);
  await kubectl([
    'wait',
    '-n',
    kase.namespace,
    '--for=delete',
    'pod',
    '-l',
    'app.kubernetes.io/name=kling-operator',
    '--timeout=60s',
  ]);
  // the same probe, in seconds instead of minutes
  await patchDeployment({
    template: {
      spec: {
        terminationGracePeriodSeconds: 5,
        containers: [{ name: 'mcp', livenessProbe: { periodSeconds: 1, timeoutSeconds: 3, failureThreshold: 5 } }],
      },
    },
  });
  const pod: Json = await waitFor(
    async () => {
      const pods = alive(await kase.mcpPods('alone'));
      const fresh = pods.find((entry) => entry.metadata.uid !== first.metadata.uid);
      return pods.length === 1 && fresh?.status.containerStatuses?.[0]?.ready === true && fresh;
    },
    { what: 'the pod with the quick probe' },
  );
  const started = new Date(pod.status.containerStatuses[0].state.running.startedAt).getTime();
  await waitFor(async () => Date.now() - started > 6_000, { what: 'the process to have run for a while' });
  await hang(kase, pod);
  await waitFor(
    async () => {
      const [status] = (await livePod(kase, 'alone')).status.containerStatuses;
      return status.restartCount > 0 && status.ready;
    },
    { what: 'the kubelet to restart the container' },
  );

  // the operator takes the quick probe back, which rolls the pod: until it has looked, the old one stays
  await patchDeployment({ minReadySeconds: 30 });
  await scaleOperator(1);
  const object = await waitFor(
    async () => {
      const seen = await kase.klingApi('alone');
      if (seen.status.repairs?.length > 0) return seen;
      const pods = (await kase.mcpPods('alone')).map(({ metadata, status }) => [
        metadata.name,
        metadata.deletionTimestamp ?? 'alive',
        status.containerStatuses,
      ]);
      throw new Error(JSON.stringify({ seen: seen.status.mcp?.pods, pods }));
    },
    { what: 'the record of the restart' },
  );
  expect(object.status.repairs).toEqual([
    expect.objectContaining({
      action: 'KubeletRestart',
      trigger: 'Liveness',
      diagnosis: 'ProcessHung',
      outcome: 'Recovered',
      pod: pod.metadata.name,
      podUid: pod.metadata.uid,
    }),
  ]);
  expect(object.status.repairs[0].evidence.message).toContain('exit code 137');
  await waitFor(async () => (await eventReasons(kase)).get('alone')?.has('KubeletRestart'), {
    what: 'an Event KubeletRestart',
  });

  // one more operator finds it written down
  await scaleOperator(0);
  await scaleOperator(1);
  await kubectl(['annotate', 'klingapi', 'alone', '-n', kase.namespace, 'example.com/look=again']);
  await diagnosed(kase, 'alone', undefined);
  expect((await kase.klingApi('alone')).status.repairsTotal).toBe(1);
});
