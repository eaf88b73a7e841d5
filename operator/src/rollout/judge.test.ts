import { describe, expect, it } from 'vitest';
import { type Assessment, assess } from '../remediation/assess.ts';
import { podOf, T0 } from '../testing.ts';
import { type JudgeInput, judge } from './judge.ts';

const old = assess(podOf({ revision: 'old' }), { startupGraceSeconds: 60 }, T0);
const failing = (diagnosis: string, overrides: Partial<Assessment> = {}): Assessment => ({
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

  it.each(['CrashLoop', 'OutOfMemory', 'ImagePull', 'RunAsNonRoot'])('is rejected for %s', (diagnosis) => {
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

  it.each(['Unschedulable', 'NodeNotReady', 'MissingSecret', 'Starting', 'NetworkBlocked'])(
    'is not rejected for %s, which another template would not mend',
    (diagnosis) => {
      expect(judge(input(failing(diagnosis)), T0)).toEqual({ kind: 'Settled' });
    },
  );

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
