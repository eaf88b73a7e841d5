/**
 * An upgrade from the product before the newest change to this one, as docs/upgrading.md says, with the same images of the
 * services: no healthy pod is restarted unless its template had to change, and then `template-changes.yaml` says why.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { play } from '../../docs/play.ts';
import { scriptOf } from '../../docs/script.ts';
import { alive, type Case, createCase, podIsReady, quick } from '../case.ts';
import { crdIsServed, installCrd } from '../crd.ts';
import { PYTHON_IMAGE } from '../faults.ts';
import { getJson, helm, type Json, kubectl } from '../kubectl.ts';
import { waitFor } from '../wait.ts';
import { type Previous, preparePrevious, previousFile } from './previous.ts';
import { type Published, publish } from './published.ts';

const NOTES = 'test/e2e/node/template-changes.yaml';
const notesSchema = z
  .array(z.object({ workload: z.enum(['mcp', 'api', 'sandbox', 'other-mcp']), reason: z.string().min(10) }))
  .nullish()
  .transform((list) => list ?? []);
const notesOf = (text: string | undefined) => notesSchema.parse(text === undefined ? [] : parse(text));

const script = await scriptOf('docs/upgrading.md');
let previous: Previous;
let published: Published;
let kase: Case;

const values = ({ operatorTag, operandTag }: { operatorTag: string; operandTag: string }): string[] =>
  [
    ...['image.registry=localhost', 'image.pullPolicy=Never', 'scope=namespace', 'crds.install=false'],
    ...[`image.tag=${operandTag}`, `images.operator.tag=${operatorTag}`],
  ].flatMap((set) => ['--set', set]);

beforeAll(async () => {
  previous = await preparePrevious((line) => console.log(line));
  published = await publish();
  console.log(`Upgrade from ${previous.commit.slice(0, 12)}, services of ${previous.operandTag}`);
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', join(previous.folder, 'crds')]);
  kase = await createCase('upgrade', { operators: 0 });
  const chart = join(previous.folder, 'charts/kling-operator');
  const before = [...values(previous), '--set', 'podAnnotations.upgrade=before'];
  await helm(['install', 'operator', chart, '-n', kase.namespace, ...before, '--wait', '--timeout=120s']);
}, 420_000);
afterAll(async () => {
  await installCrd();
  await kase?.remove();
  await published?.close();
});

/** The registry and the names that are here; what is there may be of an earlier test, and the values of before are kept. */
const here = (command: string): string =>
  command
    .replace('ghcr.io/OWNER', published.registry)
    .replace('VERSION', published.version)
    .replace('-n kling-system', `-n ${kase.namespace}`)
    .replace('helm upgrade kling-operator', 'helm upgrade operator')
    .replace('--reset-then-reuse-values', `--reset-then-reuse-values ${NEW}`);
/** Its pod is replaced in any case. */
const NEW = '--set images.operator.tag=dev,podAnnotations.upgrade=after --plain-http --wait --timeout=120s';

/** Workloads by the name that a note gives them. */
const WORKLOADS = {
  mcp: 'deployment/studio-mcp',
  api: 'statefulset/studio-api',
  sandbox: 'deployment/studio-sandbox',
  'other-mcp': 'deployment/other-mcp',
} as const;
type Workload = keyof typeof WORKLOADS;

const names = Object.keys(WORKLOADS) as Workload[];
const read = (workload: Workload): Promise<Json> => getJson(['get', WORKLOADS[workload], '-n', kase.namespace]);

async function podsOf(workload: Workload): Promise<Json[]> {
  const labels = Object.entries((await read(workload)).spec.selector.matchLabels).map((pair) => pair.join('='));
  return alive((await getJson(['get', 'pods', '-n', kase.namespace, '-l', labels.join()])).items);
}
const uids = (pods: Json[]): string[] => pods.map(({ metadata }) => metadata.uid).sort();
const restarts = (pods: Json[]): number[] =>
  pods.flatMap(({ status }) => status.containerStatuses.map((container: Json) => container.restartCount));

/** The new operator has looked at this KlingApi and applied its children: it speaks of a generation that only it has seen. */
async function settled(name: string): Promise<void> {
  await kubectl([
    ...['patch', 'klingapi', name, '-n', kase.namespace, '--type=merge'],
    ...['-p', '{"spec":{"remediation":{"minHealthySeconds":299}}}'],
  ]);
  await waitFor(
    async () => {
      const { metadata, status } = await kase.klingApi(name);
      const seen = status.observedGeneration === metadata.generation;
      const conditions: Json[] = status.conditions ?? [];
      const ready = conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
      const busy = conditions.some(({ type }) => type === 'Reconciling' || type === 'Stalled');
      if (seen && ready && !busy) return true;
      throw new Error(JSON.stringify(conditions.map(({ type, status: is, reason }) => `${type}=${is} ${reason}`)));
    },
    { what: `${name} to be settled under the new operator`, timeoutMs: 240_000, everyMs: 1_000 },
  );
}

it('keeps every healthy pod whose template did not have to change', async () => {
  await kase.apply(quick());
  await kase.apply({ ...quick({ image: PYTHON_IMAGE, replicas: 1 }), verification: { image: 'Never' } }, 'other');
  await kase.ready();
  await waitFor(async () => (await kase.klingApi('other')).status?.mcp?.serving === '1/1', {
    what: 'the foreign server to serve',
    timeoutMs: 180_000,
  });
  const before = new Map<Workload, { template: Json; pods: Json[] }>();
  for (const name of names) before.set(name, { template: (await read(name)).spec.template, pods: await podsOf(name) });
  expect([...before.values()].every(({ pods }) => pods.length > 0 && pods.every(podIsReady))).toBe(true);
  const callers = await kase.callerKey();

  const [bringCrd, ...others] = script.commands('In general').map(here);
  await play([`${bringCrd}`], { cwd: published.folder });
  await crdIsServed();
  await play(others);
  await Promise.all([settled('studio'), settled('other')]);

  const old = notesOf(await previousFile(previous.commit, NOTES)).map((note) => JSON.stringify(note));
  const notes = notesOf(await readFile(NOTES, 'utf8')).filter((note) => !old.includes(JSON.stringify(note)));
  for (const name of names) {
    const { template, pods } = before.get(name)!;
    const now = await read(name);
    const changed = stringify(now.spec.template) !== stringify(template);
    const note = notes.find(({ workload }) => workload === name);
    if (changed && note === undefined)
      expect(now.spec.template, `The template of ${name} changed: undo that, or tell of it in ${NOTES}`).toEqual(
        template,
      );
    if (changed) {
      console.log(`Pods of ${name} were replaced: ${note?.reason}`);
      continue;
    }
    const after = await podsOf(name);
    expect(uids(after), `pods of ${name}`).toEqual(uids(pods));
    expect(restarts(after), `restarts of ${name}`).toEqual(restarts(pods));
  }
  // what was made once stays what it was
  expect(await kase.callerKey()).toBe(callers);
  for (const name of ['studio', 'other']) expect((await kase.klingApi(name)).status.repairsTotal ?? 0).toBe(0);
});
