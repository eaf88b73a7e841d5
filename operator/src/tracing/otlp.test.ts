/** What a collector gets over the wire. */
import type { HandshakeOptions } from '@klingapi/probe';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import { silentLog } from '../kube/log.ts';
import { handshakeOf } from '../testing.ts';
import { startOtlp } from './otlp.ts';
import { type Receiver, startReceiver } from './testing/receiver.ts';
import { OFF } from './trace.ts';
import { traceHandshakes, traceWrites } from './traced.ts';

let receiver: Receiver;
let warned: string[];
beforeEach(async () => {
  receiver = await startReceiver();
  warned = [];
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', receiver.endpoint);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await receiver.close();
});

const start = () =>
  startOtlp({
    service: 'kling-operator',
    resource: { 'k8s.namespace.name': 'kling-system' },
    log: { ...silentLog, warn: (_fields, message) => warned.push(message) },
  });
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace: 'media', name: 'studio-mcp', annotations: { note: 'a-secret' } },
};
const client = {
  apply: async (object: object) => object,
  delete: async () => {
    throw new KubeError({ code: 'Conflict', status: 409, message: 'a-secret in a message' });
  },
} as unknown as KubeClient;
const options: HandshakeOptions = {
  url: 'http://10.0.0.7:5510/mcp/v1',
  headers: { authorization: 'Bearer a-secret' },
  eras: 'Any',
  timeoutMs: 1_000,
};

it('a look, its writes, handshakes and its repair come as one tree, and no secret with them', async () => {
  const { trace, close } = start();
  const traced = traceWrites(client, trace);
  const handshake = traceHandshakes(async () => handshakeOf('Failing', 'HttpError'), trace);
  const look = (name: string) =>
    trace('reconcile', { 'klingapi.name': name }, async () => {
      await traced.apply(deployment, { fieldManager: 'x' });
      // side by side, as pods are looked at
      await Promise.all([handshake(options), handshake(options)]);
      await traced.apply({ ...deployment, kind: 'KlingApi' }, { fieldManager: 'x', subresource: 'status' });
      await trace('repair', { 'k8s.pod.name': 'p' }, () =>
        traced.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'media', name: 'p' }),
      );
    });
  // two looks at once do not get into each other's traces
  const outcomes = await Promise.allSettled([look('a'), look('b')]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await close();

  expect(receiver.bodies[0]).toMatch(/^POST \/v1\/traces /);
  expect(receiver.resources[0]).toMatchObject({
    'service.name': 'kling-operator',
    'k8s.namespace.name': 'kling-system',
  });
  const roots = receiver.spans.filter(({ parentSpanId }) => parentSpanId === undefined || parentSpanId === '');
  expect(roots.map((root) => [root.attributes['klingapi.name'], receiver.tree(root)])).toEqual([
    ['a', 'reconcile(apply Deployment, apply KlingApi status, handshake, repair(delete Pod))'],
    ['b', 'reconcile(apply Deployment, apply KlingApi status, handshake, repair(delete Pod))'],
  ]);
  expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(2);
  expect(receiver.spans.find(({ name }) => name === 'handshake')?.attributes).toEqual({
    'server.address': '10.0.0.7:5510',
    'klingapi.verdict': 'Failing',
    'klingapi.diagnosis': 'HttpError',
  });
  expect(receiver.spans.find(({ name }) => name === 'delete Pod')?.status).toEqual({ code: 2, message: 'KubeError' });
  expect(receiver.bodies.join()).not.toContain('a-secret');
});

it('a collector that is away holds nothing up, and is told of', async () => {
  await receiver.close();
  const { trace, close } = start();
  expect(await trace('reconcile', {}, async () => 'done')).toBe('done');
  const begun = performance.now();
  await close();
  expect(performance.now() - begun).toBeLessThan(5_000);
  await expect.poll(() => warned, { timeout: 12_000 }).toContain('Traces could not be exported');
}, 15_000);

it('switched off, what is done is done as it is', async () => {
  expect(await OFF.trace('reconcile', {}, async (span) => span.set({ a: 1 }) ?? 'done')).toBe('done');
  await OFF.close();
});
