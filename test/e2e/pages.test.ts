/** The how-to pages and runbooks, command by command, on a KlingApi that works. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundlePlugin } from '../../scripts/bundle/plugin.ts';
import { ROOT } from '../docs/pages.ts';
import { play } from '../docs/play.ts';
import { type Script, scriptOf, scriptsBelow } from '../docs/script.ts';
import { freePort } from '../postgres/free-port.ts';
import { alive, type Case, condition, createCase, quick } from './case.ts';
import { breakPod, faulty } from './faults.ts';
import { getJson, type Json, kubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

const runbooks = await scriptsBelow('docs/runbooks/');
const howTo = {
  dryRun: await scriptOf('docs/how-to/dry-run.md'),
  pause: await scriptOf('docs/how-to/pause.md'),
  spendLimits: await scriptOf('docs/how-to/spend-limits.md'),
  keys: await scriptOf('docs/how-to/keys.md'),
  backup: await scriptOf('docs/how-to/backup.md'),
  uninstall: await scriptOf('docs/how-to/uninstall.md'),
};

let kase: Case;
let folder: string;
/** Where `kubectl kling` is. */
let programs: string[];
let pod: string;
let port: number;

beforeAll(async () => {
  kase = await createCase('pages');
  folder = await mkdtemp(join(tmpdir(), 'kling-pages-'));
  port = await freePort();
  programs = [join(folder, 'bin')];
  await bundlePlugin(ROOT, join(folder, 'bin'));
  // nothing here is timed, so a busy machine gets the time it needs
  await kase.apply(quick({ ...faulty, handshake: { periodSeconds: 5, timeoutSeconds: 4 } }));
  await kase.ready();
  pod = alive(await kase.mcpPods())[0].metadata.name;
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await kubectl(['delete', 'namespace', kase.namespace, '--wait=false', '--ignore-not-found']);
});

/** The names of the documents, as they are in this case. */
const here = (command: string): string =>
  command
    .replaceAll(/-n (media|kling-system)\b/g, `-n ${kase.namespace}`)
    .replaceAll(/namespace (media|kling-system)\b/g, `namespace ${kase.namespace}`)
    .replaceAll(/\b(deployment[ /]|lease )kling-operator\b/g, '$1operator-kling-operator')
    .replaceAll(
      'serviceaccount:kling-system:kling-operator',
      `serviceaccount:${kase.namespace}:operator-kling-operator`,
    )
    .replaceAll(/\bPOD\b/g, pod)
    .replaceAll(/ 5511 &$/g, ` ${port}:5511 &`)
    .replaceAll('localhost:5511', `localhost:${port}`)
    .replaceAll('9090:9090', `${port}:9090`)
    .replaceAll('127.0.0.1:9090', `127.0.0.1:${port}`)
    .replaceAll(/(?<=[<>] )([\w-]+\.(?:yaml|db))\b/g, `${folder}/$1`)
    .replace('helm uninstall kling-operator', 'helm uninstall operator')
    .replace('-f crds.yaml', '-f crds/klingapi.dev_klingapis.yaml')
    .replace(
      /^(kubectl apply .*-f) docs\/examples\/restore-pod\.yaml$/,
      `sed 's#image: .*#image: localhost/kling-api:${process.env['E2E_IMAGE_TAG'] ?? 'dev'}#' docs/examples/restore-pod.yaml | $1 -`,
    );

/** What mends a fault that is not there is only shown to the API server. */
const harmless = (command: string): string =>
  /^kubectl (apply|patch|create)\b/.test(command) && !command.includes('|')
    ? `${here(command)} --dry-run=server`
    : here(command);

const playPage = (script: Script) => play(script.commands(), { adapt: here });

describe('runbooks', () => {
  it.each(runbooks.map((script) => [script.path, script] as const))('%s', async (_, script) => {
    const commands = script.commands();
    expect(commands.length).toBeGreaterThan(0);
    await play(commands, { adapt: harmless, programs, timeoutMs: 120_000 });
  });
});

describe('how-to pages', () => {
  it('dry run: it tells what it would do and does nothing, until it may', async () => {
    const commands = howTo.dryRun.commands();
    await play(commands.slice(0, 1), { adapt: here });
    const [broken] = alive(await kase.mcpPods());
    await breakPod(kase, broken, 'session-manager');
    const event = await waitFor(
      async () => {
        const { items } = await getJson(['get', 'events.events.k8s.io', '-n', kase.namespace]);
        return items.find((entry: Json) => entry.reason === 'WouldRepair');
      },
      { what: 'the Event WouldRepair' },
    );
    expect(event.note).toMatch(`Would delete pod ${broken.metadata.name}: `);
    expect((await play(commands.slice(1, -1), { adapt: here })).stdout).toContain('SessionManagerDown');
    expect((await kase.klingApi()).status.repairsTotal ?? 0).toBe(0);
    expect(alive(await kase.mcpPods()).map((entry) => entry.metadata.uid)).toContain(broken.metadata.uid);
    await play(commands.slice(-1), { adapt: here });
    expect((await kase.repaired()).pod).toBe(broken.metadata.name);
    await kase.ready();
  });

  it('spend limits: what was spent is told by kind and model, and of all callers', async () => {
    const key = await kase.callerKey();
    await makeTask(key);
    const reach = 'kubectl port-forward -n media service/studio-api 5511 &';
    const { stdout } = await play([reach, howTo.spendLimits.command('curl')], { adapt: here, env: { KEY: key } });
    expect(JSON.parse(stdout).usage).toEqual([expect.objectContaining({ kind: 'text-to-image', tasks: 1 })]);
    const all = await play([howTo.spendLimits.command('kubectl kling usage')], { adapt: here, programs });
    expect(all.stdout).toMatch(/^default +text-to-image +/m);
  });

  it('pause: what is scaled by hand stays, and it goes on', async () => {
    await playPage(howTo.pause);
    const object = await kase.klingApi();
    expect(object.spec.paused).toBe(false);
    await waitFor(async () => condition(await kase.klingApi(), 'Paused') === undefined, { what: 'Paused to go' });
  });

  it('keys: callers of a Secret of mine get in without a restart, the internal key is made anew', async () => {
    const internal = async (): Promise<string | undefined> =>
      (await getJson(['get', 'secret', 'studio-internal', '-n', kase.namespace]).catch(() => undefined))?.data.key;
    const before = await internal();
    await playPage(howTo.keys);
    const secret = await getJson(['get', 'secret', 'studio-keys', '-n', kase.namespace]);
    expect(Object.keys(secret.data)).toEqual(['alice']);
    const key = Buffer.from(secret.data.alice, 'base64').toString('utf8');
    await waitFor(async () => (await asked(key)) === 200, { what: 'alice to be let in', timeoutMs: 180_000 });
    const after = await waitFor(internal, { what: 'the internal key to be made anew', timeoutMs: 120_000 });
    expect(after).not.toBe(before);
    // MCP signs with the new key, and the API takes it
    await kubectl([
      'patch',
      'klingapi',
      'studio',
      '-n',
      kase.namespace,
      '--type=merge',
      '-p',
      '{"spec":{"api":{"callersSecretRef":null}}}',
    ]);
    await settled();
  });

  it('backup: a task that was saved comes back, a later one does not', async () => {
    const key = await kase.callerKey();
    await waitFor(async () => (await asked(key)) === 200, {
      what: 'the generated caller to be let in',
      timeoutMs: 180_000,
    });
    const kept = await makeTask(key);
    await play(howTo.backup.commands('The resource and its Secrets', 'Tasks in SQLite'), { adapt: here });
    expect((await readFile(join(folder, 'tasks.db'))).subarray(0, 15).toString()).toBe('SQLite format 3');
    expect((await stat(join(folder, 'studio.yaml'))).size).toBeGreaterThan(0);
    const later = await makeTask(key);
    await play(howTo.backup.commands('Back again'), { adapt: here });
    expect(await asked(key, `/api/tasks/${kept}`)).toBe(200);
    expect(await asked(key, `/api/tasks/${later}`)).toBe(404);
  });

  it('uninstall: nothing is left', async () => {
    await playPage(howTo.uninstall);
    const left = await getJson(['get', 'pods,pvc,services,klingapis', '-n', kase.namespace]);
    expect(
      left.items.filter(
        (item: Json) =>
          item.metadata.deletionTimestamp === undefined && item.metadata.labels?.['klingapi.dev/name'] !== undefined,
      ),
    ).toEqual([]);
  });
});

async function apiUrl(): Promise<string> {
  const service = await getJson(['get', 'service', 'studio-api', '-n', kase.namespace]);
  return `http://${service.spec.clusterIP}:5511`;
}

const asked = async (key: string, path = '/api/tasks'): Promise<number | undefined> =>
  (await fetch(`${await apiUrl()}${path}`, { headers: { authorization: `Bearer ${key}` } }).catch(() => undefined))
    ?.status;

async function makeTask(key: string): Promise<string> {
  const reply = await fetch(`${await apiUrl()}/api/images/generations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'A paper boat on a quiet lake' }),
  });
  expect(reply.status).toBe(202);
  return ((await reply.json()) as { id: string }).id;
}

/** All pods are of the newest template, and it is verified. */
async function settled(): Promise<void> {
  for (const workload of ['deployment/studio-mcp', 'statefulset/studio-api'])
    await kubectl(['rollout', 'status', workload, '-n', kase.namespace, '--timeout=180s'], undefined, 200_000);
  await kase.ready();
}
