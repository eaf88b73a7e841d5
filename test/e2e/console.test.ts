/** The console as a person reaches it: a port of the operator's pod, forwarded by kubectl. */
import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { kubeconfigPath, tools } from '../cluster/index.ts';
import { play } from '../docs/play.ts';
import { scriptOf } from '../docs/script.ts';
import { alive, type Case, createCase, podIsReady } from './case.ts';
import { hang } from './faults.ts';
import { getJson, type Json } from './kubectl.ts';
import { createPerson } from './person.ts';
import { waitFor } from './wait.ts';

const PORT = 9091;
const script = await scriptOf('docs/console.md');
let kase: Case;
const forwards: ChildProcess[] = [];
beforeAll(async () => {
  kase = await createCase('console');
  await kase.apply({
    upstream: { provider: 'Sandbox' },
    api: { replicas: 0 },
    mcp: { replicas: 1, handshake: { periodSeconds: 3, timeoutSeconds: 2 } },
  });
});
afterEach(() => {
  for (const forward of forwards.splice(0)) forward.kill();
});
afterAll(() => kase?.remove());

/** The names of the page, as they are in this case. */
const here = (command: string): string =>
  command
    .replaceAll('-n kling-system', `-n ${kase.namespace}`)
    .replace('helm upgrade kling-operator', 'helm upgrade operator')
    .replace('deployment/kling-operator', 'deployment/operator-kling-operator');

const operatorPods = (many: number): Promise<Json[]> =>
  waitFor(
    async () => {
      const label = 'app.kubernetes.io/name=kling-operator';
      const pods = alive((await getJson(['get', 'pods', '-n', kase.namespace, '-l', label])).items);
      return pods.length === many && pods.every(podIsReady) && pods;
    },
    { what: `${many} operators that are ready` },
  );

const toPod = (name: string, port: number | string): string =>
  `kubectl port-forward -n ${kase.namespace} pod/${name} :${port}`;

/** @returns its address here, and what kubectl says of connections that fail */
async function forward(command: string): Promise<{ url: string; told: () => string }> {
  const [, ...args] = command.split(' ');
  const child = spawn((await tools()).kubectl, args, {
    env: { ...process.env, KUBECONFIG: await kubeconfigPath() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  forwards.push(child);
  let told = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      told += text;
    });
  const here = await waitFor(async () => /127\.0\.0\.1:(\d+) ->/.exec(told)?.[1], {
    what: `${command} to forward`,
    timeoutMs: 30_000,
    everyMs: 100,
  });
  return { url: `http://localhost:${here}`, told: () => told };
}

async function firstEvent(url: string): Promise<Json> {
  const { body } = await fetch(url);
  let text = '';
  for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const data = /^event: operator\ndata: (.*)\n\n/m.exec(text)?.[1];
    if (data !== undefined) return JSON.parse(data);
  }
  throw new Error(`the stream ended with ${text}`);
}

it('is off by default', async () => {
  const [pod] = await operatorPods(1);
  const { url, told } = await forward(toPod(pod.metadata.name, PORT));
  await expect(fetch(url)).rejects.toThrow();
  await waitFor(async () => told().includes('refused'), {
    what: 'kubectl to tell why',
    timeoutMs: 10_000,
    everyMs: 100,
  });
});

it('shows what the operator sees, to whoever may forward a port, and to nobody else', async () => {
  const upgrade = here(script.command('helm upgrade'));
  await play([`${upgrade} --set replicas=2 --wait --timeout 2m`]);
  // whichever pod of the two it leads to, a page is there; the port of this machine may be taken
  const reached = await forward(here(script.command('kubectl port-forward')).replace(' 9091:console', ' :console'));
  expect(await (await fetch(reached.url)).text()).toContain('/app.js');
  const pods = await operatorPods(2);
  const pod = await waitFor(
    async () => {
      const [lease] = (await getJson(['get', 'leases', '-n', kase.namespace])).items;
      return pods.find(({ metadata }) => lease.spec.holderIdentity?.startsWith(`${metadata.name}_`));
    },
    { what: 'one of the two to lead' },
  );
  const other = await forward(toPod(pods.find((each) => each !== pod).metadata.name, 'console'));
  expect(pod.spec.containers[0].ports).toContainEqual(
    expect.objectContaining({ name: 'console', containerPort: PORT }),
  );
  const { url } = await forward(toPod(pod.metadata.name, 'console'));

  const page = await fetch(url);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await page.text()).toContain('/app.js');
  expect((await (await fetch(`${url}/app.js`)).text()).length).toBeGreaterThan(10_000);
  const detail = (): Promise<Json> => fetch(`${url}/klingapis/${kase.namespace}/studio`).then((reply) => reply.json());
  const strip = await waitFor(
    async () =>
      (await detail()).strips?.find(
        (each: Json) => each.marks.at(-1)?.verdict === 'Serving' && each.marks.at(-1).probe !== null,
      ),
    { what: 'a good handshake, by both observers' },
  );
  expect(strip).toMatchObject({
    present: true,
    marks: expect.arrayContaining([expect.objectContaining({ verdict: 'Serving' })]),
  });

  // the stream tells of a pod that hangs, and of its repair
  const stream = new AbortController();
  const { body } = await fetch(`${url}/events`, { signal: stream.signal });
  let events = '';
  const reading = (async () => {
    for await (const chunk of body!.pipeThrough(new TextDecoderStream())) events += chunk;
  })().catch(() => {});
  await waitFor(async () => events.includes('event: fleet'), { what: 'the fleet', timeoutMs: 10_000, everyMs: 100 });
  expect(events).toContain('"leading":true');
  await hang(kase, alive(await kase.mcpPods())[0]);
  await waitFor(async () => /"kind":"Repairing","reason":"ProcessHung"/.test(events), {
    what: 'the repair in the stream',
  });
  await waitFor(async () => (await detail()).repairs?.[0]?.outcome === 'Recovered', {
    what: 'its end',
    everyMs: 1_000,
  });
  const marks = (await detail()).strips.find((each: Json) => each.pod === strip.pod)?.marks;
  expect(marks.at(-1)).toMatchObject({ verdict: 'Unreachable', diagnosis: 'ProcessHung' });
  stream.abort();
  await reading;

  // kubectl kling finds the one that leads, with few rights
  const person = await createPerson(kase, 'watcher', [
    { apiGroups: ['apps'], resources: ['deployments'], verbs: ['list'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
    { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get'] },
  ]);
  const { code, stdout, stderr } = await person.type(
    [
      `cd ${person.folder}`,
      'kubectl kling console > address & console=$!',
      'for _ in $(seq 1 300); do grep -q http address && break; sleep 0.1; done',
      'curl -sS "$(cat address)klingapis/$NAMESPACE/studio"',
      'kill -TERM $console; wait $console; test $? = 130',
    ].join('\n'),
    { env: { NAMESPACE: kase.namespace } },
  );
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout).strips.flatMap((each: Json) => each.marks).length).toBeGreaterThan(0);
  await person.remove();

  // the one that stands by tells who acts, and shows no handshakes
  const standBy = await firstEvent(`${other.url}/events`);
  expect(standBy).toMatchObject({ leading: false, leader: pod.metadata.name });
  const seen: Json = await fetch(`${other.url}/klingapis/${kase.namespace}/studio`).then((reply) => reply.json());
  expect(seen.repairs[0].outcome).toBe('Recovered');
  expect(seen.strips.flatMap((each: Json) => each.marks)).toEqual([]);

  // the address of the pod itself answers nobody, and no secret is in what was told
  await expect(fetch(`http://${pod.status.podIP}:${PORT}/`, { signal: AbortSignal.timeout(5_000) })).rejects.toThrow();
  const key = await kase.callerKey();
  for (const text of [events, JSON.stringify(await detail())]) expect(text).not.toContain(key);
});
