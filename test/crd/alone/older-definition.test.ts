/**
 * An operator that is newer than the definition in the cluster, on the real API server: what can be stored is stored, pods are
 * repaired, and all comes with the new definition.
 */
import { readFileSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { createLiveDefinition, type LiveDefinition } from '../../../operator/src/definition/live.ts';
import { createClient, type KubeClient } from '../../../operator/src/kube/client.ts';
import { systemClock } from '../../../operator/src/kube/clock.ts';
import { silentLog } from '../../../operator/src/kube/log.ts';
import { type KlingApi, klingApiSchema } from '../../../operator/src/resource/klingapi.ts';
import type { KlingApiStatus } from '../../../operator/src/resource/status.ts';
import { createStatusWriter } from '../../../operator/src/status/write.ts';
import { kubeconfigPath } from '../../cluster/index.ts';
import { installCrd } from '../../e2e/crd.ts';
import { getJson, type Json, kubectl } from '../../e2e/kubectl.ts';
import { waitFor } from '../../e2e/wait.ts';
import { type LocalOperator, startOperator } from '../operator.ts';

const CRD = 'crds/klingapi.dev_klingapis.yaml';
/** Nothing listens there. */
const PORT = 47_911;
const upstream = { provider: 'Sandbox' };
const at = '2026-11-24T10:00:00.000Z';

/** The definition of this tree as an earlier release could have had it. */
async function installOlderCrd(): Promise<void> {
  const crd: Json = parse(readFileSync(CRD, 'utf8'));
  const { properties } = crd.spec.versions[0].schema.openAPIV3Schema.properties.status;
  const record = properties.repairs.items.properties;
  delete properties.exposure;
  delete properties.endpoints;
  delete properties.verification.properties.request;
  delete record.recurrence;
  delete record.evidence.properties.consecutiveFailures;
  record.action.enum = record.action.enum.filter((action: string) => action !== 'KubeletRestart');
  // an apply would leave what another manager owns as well
  await kubectl(['replace', '-f', '-'], JSON.stringify(crd));
}

let operator: LocalOperator;
let client: KubeClient;
let definition: LiveDefinition;
/** What the definition was found to lack, look by look; a message names only the first of it. */
const found: string[][] = [];
const lackingIn = (fields: object): string[][] => {
  const { data } = z.object({ missing: z.array(z.string()) }).safeParse(fields);
  return data === undefined ? [] : [data.missing];
};
beforeAll(async () => {
  operator = await startOperator('older');
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(await kubeconfigPath());
  client = createClient(kubeConfig);
  definition = createLiveDefinition({
    client,
    onLook() {},
    onTurn() {},
    clock: systemClock,
    log: { ...silentLog, warn: (fields) => found.push(...lackingIn(fields)) },
  });
  await installOlderCrd();
});
afterAll(async () => {
  await installCrd();
  await operator?.stop();
  await client?.close();
});

const record = (id: string, action: 'RestartPod' | 'KubeletRestart') => ({
  id,
  startedAt: at,
  pod: 'alone-mcp-0',
  podUid: 'u',
  diagnosis: 'HttpError',
  evidence: { observer: 'Probe' as const, message: 'HTTP 500', consecutiveFailures: 3 },
  recurrence: { times: 2, message: 'again' },
  action,
  trigger: 'Handshake' as const,
  attempt: 1,
  actor: 'me',
  servedBefore: 1,
  steps: [],
});

const whole: KlingApiStatus = {
  observedGeneration: 1,
  exposure: {
    url: 'https://kling.example/mcp/v1',
    result: 'Passed',
    reason: 'HandshakePassed',
    message: 'm',
    since: at,
  },
  endpoints: { mcp: 'http://alone' },
  verification: { summary: '1/1', checks: [], at, request: 'once' },
  repairsTotal: 2,
  repairs: [record('b', 'RestartPod'), record('a', 'KubeletRestart')],
};

it('a status of this release is stored without what the older definition lacks, and whole under the new one', {
  timeout: 120_000,
}, async () => {
  // the operator of this file does not watch it
  const namespace = `${operator.namespace}-alone`;
  await kubectl(['create', 'namespace', namespace]);
  try {
    await kubectl(
      ['apply', '-n', namespace, '-f', '-'],
      stringify({
        apiVersion: 'klingapi.dev/v1alpha1',
        kind: 'KlingApi',
        metadata: { name: 'alone' },
        spec: { upstream },
      }),
    );
    const stored = async (): Promise<KlingApi> =>
      klingApiSchema.parse(await getJson(['get', 'klingapi', 'alone', '-n', namespace]));
    const writer = createStatusWriter(client, definition);
    // the API server takes a new definition a moment after it was sent
    await waitFor(
      async () => {
        await writer.write(await stored(), whole);
        expect(definition.finding()).not.toBeNull();
        return true;
      },
      { what: 'the older definition to be served', timeoutMs: 30_000, everyMs: 500 },
    );
    await writer.write(writer.recall(await stored()), whole);
    const short = (await stored()).status;
    const { recurrence: _, ...rest } = record('b', 'RestartPod');
    expect(short).toEqual({
      observedGeneration: 1,
      verification: { summary: '1/1', checks: [], at },
      repairsTotal: 2,
      repairs: [{ ...rest, evidence: { observer: 'Probe', message: 'HTTP 500' } }],
    });
    const recalled = writer.recall(await stored());
    expect(recalled.status).toMatchObject(whole);
    expect(await writer.write(recalled, whole)).toBe('Unchanged');
    expect(found.at(-1)?.toSorted()).toEqual([
      'status.endpoints',
      'status.exposure',
      'status.repairs[].action=KubeletRestart',
      'status.repairs[].evidence.consecutiveFailures',
      'status.repairs[].recurrence',
      'status.verification.request',
    ]);
    expect(definition.finding()?.message).toMatch(/it has no status\..* and 1 more; /);

    await installCrd();
    definition.start();
    await waitFor(
      async () => {
        expect(definition.finding()).toBeNull();
        await writer.write(writer.recall(await stored()), whole);
        expect((await stored()).status).toEqual(whole);
        return true;
      },
      { what: 'the whole status', timeoutMs: 60_000, everyMs: 500 },
    );

    // and back, over fields that were stored and owned before
    await installOlderCrd();
    await waitFor(
      async () => {
        await writer.write(writer.recall(await stored()), { ...whole, repairsTotal: 3 });
        expect(await stored()).toMatchObject({ status: { repairsTotal: 3 } });
        expect((await stored()).status?.exposure).toBeUndefined();
        return true;
      },
      { what: 'a write under the older definition again', timeoutMs: 30_000, everyMs: 500 },
    );
  } finally {
    await definition.stop();
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  }
});

/** A pod of the MCP workload on a node that does not exist, so that nobody but the operator does anything with it. */
async function silentPod(name: string): Promise<void> {
  const labels = {
    'app.kubernetes.io/name': 'klingapi',
    'app.kubernetes.io/instance': name,
    'app.kubernetes.io/component': 'mcp',
    'app.kubernetes.io/managed-by': 'kling-operator',
    'klingapi.dev/name': name,
  };
  const metadata = { name: `${name}-mcp-silent`, labels };
  await kubectl(
    ['create', '-n', operator.namespace, '-f', '-'],
    stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: {
        nodeName: 'nowhere',
        containers: [{ name: 'mcp', image: 'localhost/none:dev', ports: [{ name: 'mcp', containerPort: PORT }] }],
      },
    }),
  );
  const since = new Date(Date.now() - 600_000).toISOString();
  const conditions = ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'False', lastTransitionTime: since }));
  const running = { startedAt: since };
  const container = {
    name: 'mcp',
    ready: false,
    started: true,
    restartCount: 0,
    image: 'i',
    imageID: 'i',
    state: { running },
  };
  const address = '127.0.0.1';
  await kubectl(
    ['patch', 'pod', metadata.name, '-n', operator.namespace, '--subresource=status', '--type=merge', '-p'].concat(
      JSON.stringify({
        status: {
          phase: 'Running',
          podIP: address,
          podIPs: [{ ip: address }],
          conditions,
          containerStatuses: [container],
        },
      }),
    ),
  );
}

it('the operator repairs under it, says so, and writes the rest when the new one comes', {
  timeout: 180_000,
}, async () => {
  await installOlderCrd();
  await operator.apply({ upstream, mcp: { replicas: 1, port: PORT }, verification: { image: 'Never' } }, 'studio');
  const condition = ({ status }: Json): Json =>
    status?.conditions?.find((entry: Json) => entry.type === 'CrdOutdated' && entry.status === 'True');
  const warned = await operator.until('klingapi', 'studio', 'CrdOutdated', (object) => condition(object) !== undefined);
  expect(warned.status.endpoints).toBeUndefined();
  expect(condition(warned).message).toMatch(
    /older than this operator: it has no .*Apply the definition of this release/,
  );

  await silentPod('studio');
  const repaired = await operator.until(
    'klingapi',
    'studio',
    'a record of the repair',
    ({ status }) => status.repairs?.some((entry: Json) => entry.pod === 'studio-mcp-silent'),
    60_000,
  );
  const [entry] = repaired.status.repairs;
  expect(entry).toMatchObject({ diagnosis: 'ConnectionRefused', action: 'RestartPod' });
  expect(entry.evidence.consecutiveFailures).toBeUndefined();
  await operator.until(
    'pod',
    'studio-mcp-silent',
    'to be deleted',
    ({ metadata }) => metadata.deletionTimestamp !== undefined,
  );

  await installCrd();
  const healed = await operator.until(
    'klingapi',
    'studio',
    'the rest',
    (object) => object.status.endpoints !== undefined && condition(object) === undefined,
    60_000,
  );
  // what the older definition had no place for was kept meanwhile
  expect(healed.status.repairs[0].evidence.consecutiveFailures).toBeGreaterThan(0);
});
