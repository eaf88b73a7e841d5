import type { KubernetesObject } from '@kubernetes/client-node';
import { beforeEach, expect, test } from 'vitest';
import { createManualClock, type ManualClock, settle } from './clock.testing.ts';
import { KubeError } from './errors.ts';
import { createEventRecorder, type EventInput, type EventRecorder } from './events.ts';
import { silentLog } from './log.ts';

type Written = KubernetesObject & Record<string, unknown>;

let clock: ManualClock;
let written: Written[];
let answer: () => Promise<void>;
let recorder: EventRecorder;

beforeEach(() => {
  clock = createManualClock();
  written = [];
  answer = async () => {};
  recorder = createEventRecorder({
    client: {
      apply: async (object) => {
        await answer();
        written.push(structuredClone(object) as unknown as Written);
        return object;
      },
    },
    clock,
    log: silentLog,
    reportingController: 'klingapi.dev/operator',
    reportingInstance: 'kling-operator-1',
    redact: (note) => note.replaceAll('sesame', '***'),
  });
});

const event = (part: Partial<EventInput> = {}): EventInput => ({
  regarding: { apiVersion: 'klingapi.dev/v1alpha1', kind: 'KlingApi', namespace: 'media', name: 'studio', uid: 'u-1' },
  type: 'Warning',
  reason: 'RepairStarted',
  action: 'RestartPod',
  note: 'Deleting pod studio-mcp-1',
  ...part,
});

test('an event is written whole', async () => {
  recorder.event(event());
  await recorder.flush();
  expect(written).toEqual([
    {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: expect.stringMatching(/^studio\.[0-9a-f]{16}$/), namespace: 'media' },
      eventTime: '2026-11-24T10:00:00.000000Z',
      type: 'Warning',
      reason: 'RepairStarted',
      action: 'RestartPod',
      note: 'Deleting pod studio-mcp-1',
      regarding: event().regarding,
      reportingController: 'klingapi.dev/operator',
      reportingInstance: 'kling-operator-1',
    },
  ]);
});

test('the same event within ten minutes counts up one series, later it is a new one', async () => {
  for (const wait of [60_000, 599_000, 601_000, 0]) {
    recorder.event(event());
    await recorder.flush();
    await clock.advance(wait);
  }
  expect(written.map(({ metadata, series }) => [metadata?.name, series])).toEqual([
    [written[0]!.metadata?.name, undefined],
    [written[0]!.metadata?.name, { count: 2, lastObservedTime: '2026-11-24T10:01:00.000000Z' }],
    [written[0]!.metadata?.name, { count: 3, lastObservedTime: '2026-11-24T10:10:59.000000Z' }],
    [expect.not.stringMatching(written[0]!.metadata?.name ?? ''), undefined],
  ]);
  // what the API server lets nobody change
  expect(new Set(written.slice(0, 3).map(({ eventTime }) => eventTime)).size).toBe(1);
});

test('another note, reason or object is another event', async () => {
  recorder.event(event());
  recorder.event(event({ note: 'Deleting pod studio-mcp-2' }));
  recorder.event(event({ reason: 'Repaired' }));
  recorder.event(event({ regarding: { ...event().regarding, uid: 'u-2' } }));
  await recorder.flush();
  expect(new Set(written.map(({ metadata }) => metadata?.name)).size).toBe(4);
});

test('notes are cut within what the API server takes, between characters, and hold no secret', async () => {
  recorder.event(event({ note: 'ü'.repeat(900) }));
  recorder.event(event({ note: 'open sesame, Authorization: Bearer abcdef.ghijkl' }));
  await recorder.flush();
  const [long, secret] = written.map(({ note }) => String(note));
  expect(Buffer.byteLength(long!)).toBeLessThanOrEqual(1024);
  expect(long).toMatch(/^ü+…$/);
  expect(secret).toContain('open ***');
  expect(secret).not.toContain('abcdef');
});

test('what the API server is too busy for is written later, what it refuses is dropped', async () => {
  const outcomes = [
    new KubeError({ code: 'Unreachable', message: 'away' }),
    new KubeError({ code: 'ServerError', status: 500, message: 'broken' }),
    null,
    new KubeError({ code: 'Forbidden', status: 403, message: 'no' }),
    null,
  ];
  answer = async () => {
    const next = outcomes.shift();
    if (next instanceof KubeError) throw next;
  };
  recorder.event(event());
  recorder.event(event({ reason: 'Refused' }));
  recorder.event(event({ reason: 'Repaired' }));
  await clock.advance(3_000);
  await recorder.flush();
  expect(written.map(({ reason }) => reason)).toEqual(['RepairStarted', 'Repaired']);
});

test('a flood of one object is held back, another object is heard', async () => {
  for (let index = 0; index < 200; index += 1) recorder.event(event({ note: `Note ${index}` }));
  recorder.event(event({ regarding: { ...event().regarding, uid: 'u-2' } }));
  await recorder.flush();
  expect(written).toHaveLength(26);
  await clock.advance(300_000);
  recorder.event(event({ note: 'One more' }));
  await recorder.flush();
  expect(written.at(-1)?.['note']).toBe('One more');
});

test('an API server that hangs holds nobody up', async () => {
  answer = () => new Promise(() => {});
  recorder.event(event());
  const flushed = recorder.flush(1_000);
  await settle();
  await clock.advance(1_000);
  await flushed;
  for (let index = 0; index < 2_000; index += 1)
    recorder.event(event({ regarding: { ...event().regarding, uid: `u-${index}` } }));
  expect(written).toEqual([]);
});

test('nonsense does not throw', () => {
  expect(() => recorder.event({} as EventInput)).not.toThrow();
});
