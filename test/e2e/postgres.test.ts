/** Several API pods on one PostgreSQL. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nodeAddress, podNetwork } from '../cluster/settings.ts';
import { play } from '../docs/play.ts';
import { scriptOf } from '../docs/script.ts';
import { type Postgres, startPostgres } from '../postgres/server.ts';
import { alive, type Case, createCase, podIsReady, quick } from './case.ts';
import { getJson, type Json, kubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

const script = await scriptOf('docs/how-to/several-replicas.md');
let kase: Case;
let postgres: Postgres;

const apiPods = async (): Promise<Json[]> =>
  alive(
    (
      await getJson([
        ...['get', 'pods', '-n', kase.namespace],
        ...['-l', 'klingapi.dev/name=studio,app.kubernetes.io/component=api'],
      ])
    ).items,
  );
const uids = (pods: Json[]): string[] => pods.map((pod) => pod.metadata.uid).toSorted();
const putUrl = async (url: string): Promise<void> => {
  await kubectl(
    ['apply', '-n', kase.namespace, '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'kling-database' }, stringData: { url } }),
  );
};

beforeAll(async () => {
  postgres = await startPostgres({ host: nodeAddress, clients: podNetwork });
  kase = await createCase('postgres');
  await kase.apply(quick({ replicas: 1 }, { api: { storage: { sqlite: { reclaim: 'Delete' } } } }));
  await kase.ready();
}, 420_000);
afterAll(async () => {
  await kase?.remove();
  await postgres?.stop();
});

it('take the place of one on SQLite, as the how-to page says', async () => {
  const url = await postgres.createDatabase();
  const adapt = (command: string): string =>
    command
      .replace('-n media', `-n ${kase.namespace}`)
      .replace('url=postgres://kling:PASSWORD@postgres.data.svc:5432/kling', `url='${url}'`);
  await play(script.commands(), { adapt });
  await waitFor(
    async () => {
      const pods = await apiPods();
      return pods.length === 2 && pods.every(podIsReady);
    },
    { what: 'two API pods on PostgreSQL', timeoutMs: 240_000, everyMs: 2_000 },
  );
  await kase.ready();
});

it('run as a Deployment without a volume, and share their tasks', async () => {
  const pods = await apiPods();
  expect(pods).toHaveLength(2);
  const selected = ['-n', kase.namespace, '-l', 'klingapi.dev/name=studio', '-o', 'name'];
  await waitFor(async () => (await kubectl(['get', 'statefulsets,persistentvolumeclaims', ...selected])) === '', {
    what: 'the StatefulSet of SQLite and its claim to go',
    timeoutMs: 60_000,
  });

  const headers = { authorization: `Bearer ${await kase.callerKey()}`, 'content-type': 'application/json' };
  const at = (pod: Json, path: string) => `http://${pod.status.podIP}:5511${path}`;
  const made = await fetch(at(pods[0], '/api/images/generations'), {
    method: 'POST',
    headers,
    body: JSON.stringify({ prompt: 'a lighthouse' }),
  });
  const text = await made.text();
  expect(made.status, text).toBeLessThan(300);
  const { id } = JSON.parse(text);
  // asked of the other pod
  const done = await waitFor(
    async () => {
      const reply = await fetch(at(pods[1], `/api/tasks/${id}`), { headers });
      const task: Json = await reply.json();
      if (task.state === 'succeeded' || task.status === 'succeeded') return task;
      throw new Error(JSON.stringify(task));
    },
    { what: 'the picture to be made', timeoutMs: 60_000 },
  );
  expect(JSON.stringify(done)).toContain('http');
});

it('are rolled by another address of the database, and MCP pods are not', async () => {
  const [api, mcp] = [uids(await apiPods()), uids(alive(await kase.mcpPods()))];
  await putUrl(await postgres.createDatabase());
  await waitFor(
    async () => {
      const pods = await apiPods();
      return pods.length === 2 && pods.every(podIsReady) && uids(pods).every((uid) => !api.includes(uid));
    },
    { what: 'the API pods to be replaced', timeoutMs: 240_000, everyMs: 2_000 },
  );
  expect(uids(alive(await kase.mcpPods()))).toEqual(mcp);
});
