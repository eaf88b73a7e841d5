/** What machines make of every set of conditions that can come about, and whether those are as the API conventions ask. */
import { describe, expect, it } from 'vitest';
import { NOTHING_MISSING } from '../observe/missing.ts';
import { assess } from '../remediation/assess.ts';
import type { Decision } from '../remediation/decide.ts';
import type { Condition, Verification } from '../resource/status.ts';
import { statusSchema } from '../resource/status.ts';
import { handshakeOf, podOf, reportOf, T0 } from '../testing.ts';
import { type ConditionInput, conditions, OWN_TYPES } from './conditions.ts';
import { kstatus } from './kstatus.testing.ts';

const policy = { startupGraceSeconds: 60, periodSeconds: 5, timeoutSeconds: 3 };
const pod = (verdict: 'Serving' | 'AuthRequired' | 'Failing') =>
  assess(
    podOf({
      probe: reportOf({ verdict, ...(verdict === 'Failing' ? { diagnosis: 'HttpError', failingSince: T0 } : {}) }),
      own: {
        last: handshakeOf(verdict, verdict === 'Failing' ? 'HttpError' : null),
        at: T0,
        failures: verdict === 'Failing' ? 3 : 0,
        failingSince: verdict === 'Failing' ? T0 : null,
      },
    }),
    policy,
    T0,
  );
const [serving, failing, asking] = [pod('Serving'), pod('Failing'), pod('AuthRequired')];
const down = { reason: 'ApiDown', message: 'no API pod is ready' };
const finding = { reason: 'SomeReason', message: 'something is in the way' };
const verified = (result: 'Passed' | 'Failed', image: 'Passed' | 'Inconclusive' | 'Skipped'): Verification => ({
  summary: '3/3',
  at: new Date(T0).toISOString(),
  revision: 'r1',
  checks: [
    { name: 'McpHandshake', result, message: 'it was asked' },
    { name: 'ImageGeneration', result: image, message: 'it was tried' },
  ],
});
const held = { kind: 'Hold', reason: 'StormActive', message: 'many fail together', until: null } satisfies Decision;

/** Every value of every part of the input; what is the only one adds a condition of its own, which a test looks at. */
const PARTS: { [K in keyof Omit<ConditionInput, 'generation' | 'currentRevision'>]: ConditionInput[K][] } = {
  stalled: [null, finding],
  retrying: [null, finding],
  missing: [NOTHING_MISSING, { api: finding, mcp: null }],
  optionalKinds: [null],
  paused: [true],
  api: [
    { ready: 1, wanted: 1, trouble: down },
    { ready: 0, wanted: 1, trouble: down },
  ],
  mcp: [[serving, serving], [serving, failing], [failing, failing], [asking, asking], []].flatMap((pods) =>
    [false, true].map((rollingOut) => ({ pods, wanted: 2, rollingOut, refused: null })),
  ),
  verification: [
    undefined,
    verified('Passed', 'Passed'),
    verified('Failed', 'Skipped'),
    verified('Passed', 'Inconclusive'),
  ],
  exposure: [undefined],
  upstream: ['http://kling'],
  decision: [held],
  judgement: [
    { kind: 'Settled' },
    { kind: 'OnTrial', until: T0, message: 'it has until then' },
    { kind: 'Overdue', reason: 'HttpError', message: 'it does not serve' },
  ],
  rollout: [
    { kind: 'Wanted', revision: 'r1' },
    { kind: 'RolledBack', revision: 'r1', message: 'r2 was rejected' },
    { kind: 'Queued', revision: 'r1' },
  ],
  repairing: [undefined, 'studio-mcp-1'],
  remediation: [{}, { exhaustedSince: new Date(T0).toISOString() }],
};

function* every(parts: [string, unknown[]][]): Generator<Record<string, unknown>> {
  const [first, ...rest] = parts;
  if (first === undefined) return yield {};
  for (const value of first[1]) for (const others of every(rest)) yield { [first[0]]: value, ...others };
}

const all = [...every(Object.entries(PARTS))].map((parts) => {
  const input = { generation: 3, currentRevision: 'r1', ...parts } as ConditionInput;
  return { input, list: conditions([], input, T0) };
});
const holds = (list: Condition[], type: string) => list.some((entry) => entry.type === type && entry.status === 'True');
const whole = (list: Condition[]) => ({
  metadata: { generation: 3 },
  status: { observedGeneration: 3, conditions: list },
});

describe('every set of conditions', () => {
  it('is by the API conventions', () => {
    expect(all.length).toBeGreaterThan(5_000);
    for (const { list } of all) {
      expect(new Set(list.map(({ type }) => type)).size).toBe(list.length);
      for (const entry of list) {
        if (!/^[A-Z][A-Za-z]+$/.test(entry.reason) || entry.message === '' || entry.observedGeneration !== 3)
          expect.fail(`${JSON.stringify(entry)} lacks a reason, a message or its generation`);
        if (!OWN_TYPES.has(entry.type)) expect.fail(`${entry.type} is not among our types`);
      }
    }
    const sample = all.filter((_, index) => index % 397 === 0);
    for (const { list } of sample) expect(() => statusSchema.parse({ conditions: list })).not.toThrow();
  });

  it('is Current, InProgress or Failed as whoever waits must know it', () => {
    const seen = new Map<string, number>();
    for (const { input, list } of all) {
      const exhausted = input.remediation.exhaustedSince !== undefined;
      const serves = input.mcp.pods.some((entry) => entry !== failing);
      const expected =
        input.stalled !== null ||
        input.rollout.kind === 'RolledBack' ||
        input.judgement.kind === 'Overdue' ||
        (exhausted && !serves)
          ? 'Failed'
          : holds(list, 'Reconciling') || !holds(list, 'Ready')
            ? 'InProgress'
            : 'Current';
      const found = kstatus(whole(list));
      if (found !== expected) expect.fail(`${found}, not ${expected}: ${JSON.stringify(list)}`);
      seen.set(found, (seen.get(found) ?? 0) + 1);
    }
    expect([...seen.keys()].sort()).toEqual(['Current', 'Failed', 'InProgress']);
  });

  it('never says that it works where it does not, nor that it is stuck while it goes on', () => {
    for (const { input, list } of all) {
      if (holds(list, 'Ready') && (input.api.ready === 0 || !input.mcp.pods.some((entry) => entry !== failing)))
        expect.fail(`Ready without a pod: ${JSON.stringify(list)}`);
      if (holds(list, 'Reconciling') && holds(list, 'Stalled')) expect.fail(`both: ${JSON.stringify(list)}`);
      // abnormal ones are there only while they hold
      for (const type of ['Degraded', 'RemediationExhausted', 'StormActive', 'Stalled', 'Reconciling', 'Paused'])
        if (list.some((entry) => entry.type === type) && !holds(list, type))
          expect.fail(`${type} is there but not True`);
    }
  });
});

it('a spec that was not looked at yet is in progress, whatever the status says of the one before', () => {
  const { list } = all.find((entry) => kstatus(whole(entry.list)) === 'Current')!;
  expect(kstatus({ ...whole(list), metadata: { generation: 4 } })).toBe('InProgress');
  // as the API server fills it in before any operator has seen it
  expect(kstatus({ metadata: { generation: 1 }, status: { observedGeneration: -1 } })).toBe('InProgress');
});
