/** The recorder against the real API server: what people then see. */
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { createClient, type KubeClient } from '../../operator/src/kube/client.ts';
import { systemClock } from '../../operator/src/kube/clock.ts';
import { createEventRecorder, type EventRecorder } from '../../operator/src/kube/events.ts';
import { kubeconfigPath } from '../cluster/index.ts';
import { getJson, type Json, kubectl } from '../e2e/kubectl.ts';
import { useNamespace } from './namespace.ts';

const namespace = useNamespace('events');
let client: KubeClient;
let recorder: EventRecorder;
let failures: object[];
let subject: { apiVersion: string; kind: string; namespace: string; name: string; uid: string };

beforeAll(async () => {
  const config = new KubeConfig();
  config.loadFromFile(await kubeconfigPath());
  client = createClient(config);
  failures = [];
  const note = (fields: object) => void failures.push(fields);
  recorder = createEventRecorder({
    client,
    clock: systemClock,
    log: { info: () => {}, warn: note, error: note },
    reportingController: 'klingapi.dev/operator',
    reportingInstance: 'kling-operator-1',
  });
  const object = { apiVersion: 'klingapi.dev/v1alpha1', kind: 'KlingApi', metadata: { name: 'studio' } };
  await kubectl(
    ['create', '-n', namespace, '-f', '-'],
    stringify({ ...object, spec: { upstream: { provider: 'Sandbox' } } }),
  );
  const { metadata } = await getJson(['get', 'klingapi', 'studio', '-n', namespace]);
  subject = { apiVersion: object.apiVersion, kind: object.kind, namespace, name: 'studio', uid: metadata.uid };
});
afterAll(() => client.close());

const record = async (note: string) => {
  recorder.event({ regarding: subject, type: 'Warning', reason: 'HandshakeFailing', action: 'Observe', note });
  await recorder.flush();
};
const events = async (): Promise<Json[]> => (await getJson(['get', 'events.events.k8s.io', '-n', namespace])).items;

it('three equal events are one with a series of three, and another note is another', async () => {
  for (let time = 0; time < 3; time += 1) await record('studio-mcp-1: HttpError: HTTP 500');
  await record('studio-mcp-2: ProcessHung: no reply within 3 s');
  expect(failures).toEqual([]);
  const all = await events();
  expect(all.map(({ note, series }) => [note, series?.count]).sort()).toEqual([
    ['studio-mcp-1: HttpError: HTTP 500', 3],
    ['studio-mcp-2: ProcessHung: no reply within 3 s', undefined],
  ]);
  const [repeated] = all.filter(({ series }) => series !== undefined);
  expect(Date.parse(repeated.series.lastObservedTime)).toBeGreaterThan(Date.parse(repeated.eventTime));
});

it('they stand where people look: describe and kubectl events', async () => {
  const described = await kubectl(['describe', 'klingapi', 'studio', '-n', namespace]);
  expect(described).toMatch(/Warning\s+HandshakeFailing.*studio-mcp-1: HttpError: HTTP 500/);
  const listed = await kubectl(['events', '--for', 'klingapi/studio', '-n', namespace]);
  expect(listed).toMatch(/\(x3 over .*HandshakeFailing/);
});

it('an event that the API server has let expire meanwhile is made anew, with its count', async () => {
  const [first] = (await events()).filter(({ series }) => series !== undefined);
  await kubectl(['delete', 'events.events.k8s.io', first.metadata.name, '-n', namespace]);
  await record('studio-mcp-1: HttpError: HTTP 500');
  expect(failures).toEqual([]);
  const again = (await events()).filter(({ note }) => note === first.note);
  expect(again.map(({ series }) => series?.count)).toEqual([4]);
});
