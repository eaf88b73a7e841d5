/** Two operators as processes against the real API server, with the rights of Roles alone: who leads, and how long nobody does. */
import { randomBytes } from 'node:crypto';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { createClient, type KubeClient } from '../../../operator/src/kube/client.ts';
import { KINDS } from '../../../operator/src/kube/kinds.ts';
import { type Receiver, startReceiver } from '../../../operator/src/tracing/testing/receiver.ts';
import { kubeconfigPath } from '../../cluster/index.ts';
import { getJson, type Json, kubectl } from '../kubectl.ts';
import { waitFor } from '../wait.ts';
import { createOperators, type OperatorProcess, type Operators } from './operator-process.ts';

const id = randomBytes(3).toString('hex');
const [red, blue, elsewhere] = ['red', 'blue', 'elsewhere'].map((name) => `e2e-hand-over-${name}-${id}`) as [
  string,
  string,
  string,
];
let operators: Operators;
let receiver: Receiver;
let client: KubeClient;
let leader: OperatorProcess;
let standby: OperatorProcess;

const apply = (namespace: string, name: string, spec: Record<string, unknown> = {}) =>
  kubectl(
    ['apply', '-n', namespace, '-f', '-'],
    stringify({
      apiVersion: 'klingapi.dev/v1alpha1',
      kind: 'KlingApi',
      metadata: { name },
      spec: { upstream: { provider: 'Sandbox' }, ...spec },
    }),
  );
const statusOf = async (namespace: string, name: string): Promise<Json> =>
  (await getJson(['get', 'klingapi', name, '-n', namespace])).status;
const looked = (namespace: string, name: string) =>
  waitFor(async () => (await statusOf(namespace, name)).observedGeneration === 1, {
    what: `${namespace}/${name} to be looked at`,
    timeoutMs: 30_000,
  });

const LED = 'Leadership was acquired';

const all: OperatorProcess[] = [];
const leads = (one: OperatorProcess): boolean => one.lines.some(({ msg }) => msg === LED);

/** One that leads and one that stands by, whatever the test before left. */
beforeEach(async () => {
  for (let missing = 2 - all.filter((one) => one.running()).length; missing > 0; missing -= 1) {
    const started = await operators.start(`operator-${all.length + 1}`, {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_BSP_SCHEDULE_DELAY: '500',
    });
    all.push(started);
    await started.said('Operator was started');
  }
  const pair = all.filter((one) => one.running());
  await waitFor(async () => pair.filter(leads).length === 1, { what: 'one of two to lead', timeoutMs: 30_000 });
  leader = pair.find(leads)!;
  standby = pair.find((one) => !leads(one))!;
});

beforeAll(async () => {
  for (const namespace of [red, blue, elsewhere]) await kubectl(['create', 'namespace', namespace]);
  receiver = await startReceiver();
  const config = new KubeConfig();
  config.loadFromFile(await kubeconfigPath());
  client = createClient(config);
  operators = await createOperators(red, [red, blue]);
});
afterAll(async () => {
  await operators?.stop();
  await client?.close();
  await receiver?.close();
  for (const namespace of [red, blue, elsewhere]) await kubectl(['delete', 'namespace', namespace, '--wait=false']);
});

/** A pod that belongs to a KlingApi and takes connections but never answers: a look at it lasts as long as a handshake may. */
async function hungPod(namespace: string, name: string): Promise<void> {
  const command = ['/usr/bin/node', '-e', 'require("net").createServer(() => {}).listen(5510)'];
  await kubectl(
    ['apply', '-n', namespace, '-f', '-'],
    stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `${name}-mcp-hung`,
        labels: {
          'app.kubernetes.io/managed-by': 'kling-operator',
          'app.kubernetes.io/component': 'mcp',
          'klingapi.dev/name': name,
        },
      },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'mcp', image: 'localhost/kling-mcp:dev', imagePullPolicy: 'Never', command }],
      },
    }),
  );
  await kubectl(['wait', '-n', namespace, `pod/${name}-mcp-hung`, '--for=condition=Ready', '--timeout=60s']);
}

describe('two operators, a Role in each of two namespaces and nothing cluster-wide', () => {
  it('both are ready, one leads, and the other does nothing', async () => {
    for (const one of [leader, standby]) {
      const url = `http://127.0.0.1:${await one.port()}`;
      await waitFor(async () => (await fetch(`${url}/readyz`)).ok, {
        what: `${one.name} to be ready`,
        timeoutMs: 30_000,
      });
      const metrics = await (await fetch(`${url}/metrics`)).text();
      expect(metrics).toContain(
        `leader_election_master_status{name="operator-kling-operator",app="operator"} ${one === leader ? 1 : 0}`,
      );
    }
    expect(standby.lines.some(({ msg }) => msg === LED)).toBe(false);
  });

  it('KlingApis in the named namespaces are looked at, elsewhere they are not', async () => {
    await apply(elsewhere, 'studio', { paused: true });
    await apply(red, 'studio', { paused: true });
    await apply(blue, 'studio', { paused: true });
    await looked(red, 'studio');
    await looked(blue, 'studio');
    expect(await statusOf(elsewhere, 'studio')).toEqual({ observedGeneration: -1 });
  });

  it('while one starts up its status is written once a second at most, and the traces tell of each look', async () => {
    const end = new AbortController();
    const changes: { at: number; status: string }[] = [];
    const { metadata } = await client.list(KINDS.KlingApi, { namespace: blue });
    const watching = (async () => {
      const events = client.watch(KINDS.KlingApi, {
        namespace: blue,
        resourceVersion: metadata?.resourceVersion ?? '',
        timeoutSeconds: 300,
        signal: end.signal,
      });
      for await (const { object } of events) {
        const status = JSON.stringify(Reflect.get(object, 'status'));
        if (object.metadata?.name === 'busy' && status !== changes.at(-1)?.status)
          changes.push({ at: performance.now(), status });
      }
    })().catch((error: unknown) => (end.signal.aborted ? undefined : Promise.reject(error)));
    await apply(blue, 'busy');
    try {
      // verified it is not: a process of the host has no names of Services
      await waitFor(async () => (await statusOf(blue, 'busy')).mcp?.serving === '2/2', {
        what: 'busy to serve',
        timeoutMs: 120_000,
      });
    } finally {
      end.abort();
      await watching;
    }
    // the first change is the creation itself
    const gaps = changes.slice(2).map(({ at }, index) => at - changes[index + 1]!.at);
    expect(gaps.length).toBeGreaterThan(1);
    expect(Math.min(...gaps)).toBeGreaterThan(900);

    const trees = await waitFor(
      async () => {
        const roots = receiver.spans.filter(
          ({ name, attributes }) => name === 'reconcile' && attributes['klingapi.name'] === 'busy',
        );
        const found = roots.map(receiver.tree);
        return found.some((tree) => tree.includes('handshake')) && found;
      },
      { what: 'the traces to arrive', timeoutMs: 20_000 },
    );
    expect(trees.join('\n')).toMatch(/^reconcile\(.*apply Deployment.*apply Service.*apply StatefulSet/m);
    expect(trees.join('\n')).toMatch(/^reconcile\(.*apply KlingApi status.*handshake/m);
  });

  it.each([1, 2, 3])('SIGTERM hands over in under 2 seconds (%i)', async () => {
    const told = performance.now();
    leader.signal('SIGTERM');
    const { seenAt } = await standby.said(LED);
    console.log(`Handed over in ${Math.round(seenAt - told)} ms`);
    expect(seenAt - told).toBeLessThan(2_000);
    expect(await leader.exited).toBe(0);
  });

  it('also while a look waits for a pod that hangs, and that look writes nothing any more', async () => {
    const handshake = { periodSeconds: 120, timeoutSeconds: 60 };
    await apply(red, 'hung', { paused: true, mcp: { handshake } });
    await looked(red, 'hung');
    await hungPod(red, 'hung');
    const url = `http://127.0.0.1:${await leader.port()}/metrics`;
    await waitFor(
      async () => {
        const text = await (await fetch(url)).text();
        return Number(/workqueue_longest_running_processor_seconds\{[^}]*\} (\S+)/.exec(text)?.[1]) > 3;
      },
      { what: 'a look that takes long', timeoutMs: 60_000 },
    );
    const told = performance.now();
    leader.signal('SIGTERM');
    const { seenAt } = await standby.said(LED);
    console.log(`Handed over in ${Math.round(seenAt - told)} ms while a look hung`);
    expect(seenAt - told).toBeLessThan(2_000);
    expect(await leader.exited).toBe(0);
    await kubectl(['delete', 'pod', '-n', red, 'hung-mcp-hung', '--wait=false']);
  });

  it('a leader whose Lease is taken ends at once', async () => {
    const lease = ['lease', 'operator-kling-operator', '-n', red];
    // Longer than the leader takes to look, or the standby might take it from the thief before that.
    await kubectl([
      'patch',
      ...lease,
      '--type=merge',
      '-p',
      '{"spec":{"holderIdentity":"thief","leaseDurationSeconds":3}}',
    ]);
    const told = performance.now();
    expect(await leader.exited).toBe(1);
    expect(performance.now() - told).toBeLessThan(4_000);
    expect(leader.lines.at(-1)).toMatchObject({ msg: 'Leadership was lost', reason: 'Lease was taken by thief' });
    await standby.said(LED);
  });

  it('a leader whose calls hang ends within its deadline, before another leads', async () => {
    const frozen = performance.now();
    leader.freeze();
    expect(await leader.exited).toBe(1);
    const ended = performance.now();
    // the last renewal was up to 2 s before
    expect(ended - frozen).toBeGreaterThan(7_000);
    expect(ended - frozen).toBeLessThan(11_000);
    const { seenAt } = await standby.said(LED);
    expect(seenAt).toBeGreaterThan(ended);
    await apply(red, 'after', { paused: true });
    await looked(red, 'after');
  });
});
