import { describe, expect, it } from 'vitest';
import { type Assessment, assess } from '../remediation/assess.ts';
import { POLICY, podOf, T0 } from '../testing.ts';
import { type JudgeInput, judge } from './judge.ts';

const old = assess(podOf({ revision: 'old' }), POLICY, T0);
const failing = (diagnosis: Assessment['diagnosis'], overrides: Partial<Assessment> = {}): Assessment => ({
  ...old,
  pod: 'studio-mcp-9',
  revision: 'new',
  verdict: 'Unreachable',
  diagnosis,
  ...overrides,
});
const input = (pod: Assessment, overrides: Partial<JudgeInput> = {}): JudgeInput => ({
  pods: [old, pod],
  current: 'new',
  verified: 'old',
  kept: true,
  since: T0 - 301_000,
  rollingOut: true,
  served: false,
  deadlineSeconds: 300,
  ...overrides,
});

describe('a rollout', () => {
  it('is on trial until its deadline', () => {
    const judgement = judge(input(failing('CrashLoop'), { since: T0 - 299_000 }), T0);
    expect(judgement).toMatchObject({ kind: 'OnTrial', until: T0 + 1_000 });
    expect(judgement).toHaveProperty('message', expect.stringContaining('studio-mcp-9: CrashLoop'));
  });

  it.each([
    'CrashLoop',
    'OutOfMemory',
    'ImagePull',
    'RunAsNonRoot',
    'VersionMismatch',
    'EraMismatch',
    'RequestRefused',
  ] as const)('is rejected for %s', (diagnosis) => {
    expect(judge(input(failing(diagnosis)), T0)).toMatchObject({
      kind: 'Rejected',
      verified: 'old',
      reason: diagnosis,
    });
  });

  it('is rejected for a handshake that fails', () => {
    const pod = failing('HttpError', { verdict: 'Failing', repairable: true });
    expect(judge(input(pod), T0)).toMatchObject({ kind: 'Rejected', reason: 'HttpError' });
  });

  it.each(['Unschedulable', 'NodeNotReady', 'MissingSecret', 'Starting', 'NetworkBlocked'] as const)(
    'is not rejected for %s, which another template would not mend',
    (diagnosis) => {
      expect(judge(input(failing(diagnosis)), T0)).toEqual({ kind: 'Settled' });
    },
  );

  it.each(['CrashLoop', 'ImagePull'] as const)('gives %s of a pod that came late its time too', (diagnosis) => {
    const late = failing(diagnosis, { createdAt: T0 - 10_000 });
    expect(judge(input(late, { since: T0 - 900_000 }), T0)).toMatchObject({ kind: 'OnTrial', until: T0 + 290_000 });
    expect(judge(input(late, { since: T0 - 900_000, kept: false }), T0)).toEqual({ kind: 'Settled' });
    expect(judge(input(late, { since: T0 - 900_000 }), T0 + 290_000)).toMatchObject({ kind: 'Rejected' });
  });

  it('is rejected for the pod that had its time, whatever fails beside it', () => {
    const pods = [failing('ImagePull', { createdAt: T0 - 1_000 }), failing('CrashLoop', { pod: 'studio-mcp-8' })];
    expect(judge({ ...input(old), pods }, T0)).toMatchObject({ kind: 'Rejected', reason: 'CrashLoop' });
  });

  it.each<[string, Partial<JudgeInput>]>([
    ['has ended', { rollingOut: false }],
    ['is of the verified revision', { current: 'old' }],
    ['has served once', { served: true }],
  ])('that %s is not judged', (_, overrides) => {
    expect(judge(input(failing('CrashLoop'), overrides), T0)).toEqual({ kind: 'Settled' });
  });

  it.each<[string, Partial<JudgeInput>]>([
    ['was never verified', { verified: undefined }],
    ['is not kept', { kept: false }],
  ])('is overdue where what came before %s', (_, overrides) => {
    expect(judge(input(failing('CrashLoop'), overrides), T0)).toMatchObject({ kind: 'Overdue', reason: 'CrashLoop' });
  });
});
