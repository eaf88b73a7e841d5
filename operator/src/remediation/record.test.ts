/** One repair step by step, and every way in which it can end otherwise. */
import { describe, expect, it } from 'vitest';
import { type RepairRecord, repairSchema, type Verification } from '../resource/status.ts';
import { handshakeOf, POLICY, podOf, reportOf, T0 } from '../testing.ts';
import { type AdvanceInput, advance } from './advance.ts';
import { type Assessment, assess } from './assess.ts';
import type { PodObservation } from './observation.ts';
import { beginRepair } from './record.ts';

const seen = (overrides: Partial<PodObservation>, now = T0) => assess(podOf(overrides), POLICY, now);
const failing = {
  probe: reportOf({ verdict: 'Failing', diagnosis: 'SessionManagerDown', failures: 4, failingSince: T0 - 12_000 }),
  own: { last: handshakeOf('Failing', 'HttpError'), at: T0, failures: 2, failingSince: T0 - 4_000 },
};
const broken = seen(failing);
const other = seen({ name: 'studio-mcp-2', uid: 'uid-2' });
const fresh = seen({
  name: 'studio-mcp-3',
  uid: 'uid-3',
  createdAt: Math.floor((T0 + 1_500) / 1_000) * 1_000,
  ready: { value: true, since: T0 + 4_000 },
});
const verification: Verification = {
  summary: '3/3',
  checks: [{ name: 'McpHandshake', result: 'Passed', message: 'served' }],
  at: new Date(T0 + 9_000).toISOString(),
};
const begin = (pod = broken): RepairRecord =>
  beginRepair(
    {
      repair: { pod, action: 'RestartPod', trigger: 'Handshake' },
      pods: [pod, other],
      actor: 'me',
      attempt: 1,
      diagnosis: 'SessionManagerDown',
      log: 'line',
    },
    T0,
  );
const input = (pods: Assessment[], actor: string, graceSeconds: number, verified?: Verification): AdvanceInput => ({
  pods,
  verification: verified,
  actor,
  graceSeconds,
  paid: true,
  stopped: undefined,
  taken: new Set(),
  workload: { revision: 'r1', restartedAt: undefined, rollingOut: false, deadlineSeconds: 300 },
});
const step = (record: RepairRecord, pods: Assessment[], at: number, actor = 'me', result?: Verification) =>
  advance(record, input(pods, actor, 60, result), T0 + at);

describe('a repair', () => {
  it('goes from the record to three of three', () => {
    const began = step(begin(), [broken, other], 10);
    expect(began.next).toEqual({ kind: 'Delete', graceSeconds: undefined });
    const deleted = step(began.record, [{ ...broken, ending: true }, other], 1_000);
    expect(deleted.next.kind).toBe('Wait');
    const serving = step(deleted.record, [other, fresh], 4_000);
    expect(serving.next.kind).toBe('Verify');
    expect(serving.record).toMatchObject({ replacement: 'studio-mcp-3', unavailableSeconds: 16 });
    const done = step(serving.record, [other, fresh], 9_000, 'me', verification);
    expect(done.record).toMatchObject({
      outcome: 'Recovered',
      servedBefore: 1,
      servedAfter: 2,
      verification: { summary: '3/3' },
    });
    expect(done.record.steps.map((entry) => entry.name)).toEqual([
      'HandshakeFailed',
      'Diagnosed',
      'PodDeleted',
      'ReplacementStarted',
      'Serving',
      'Verified',
    ]);
  });

  it('deletes a hung pod with one second of grace', () => {
    const hung = { ...broken, hung: true };
    expect(step(begin(hung), [hung, other], 10).next).toEqual({ kind: 'Delete', graceSeconds: 1 });
  });

  it('is not needed when the pod serves again before anything was done', () => {
    const came = seen({});
    expect(step(begin(), [came, other], 10).record.outcome).toBe('NotNeeded');
  });

  it('fails when the replacement fails, and when none comes', () => {
    const deleted = step(begin(), [other], 1_000).record;
    const bad = { ...seen({ name: 'studio-mcp-3', uid: 'uid-3', ...failing }), createdAt: fresh.createdAt };
    expect(step(deleted, [other, bad], 5_000).record).toMatchObject({ outcome: 'Failed', replacement: 'studio-mcp-3' });
    expect(step(deleted, [other], 121_000).record).toMatchObject({ outcome: 'Failed' });
  });

  it('a pod that was there before is never taken for the replacement', () => {
    expect(step(step(begin(), [other], 1_000).record, [other], 2_000).next.kind).toBe('Wait');
  });

  it('is left to its actor, and taken over once that one is silent for 30 s', () => {
    expect(step(begin(), [broken, other], 10, 'another').next.kind).toBe('Wait');
    const taken = step(begin(), [broken, other], 31_000, 'another');
    expect(taken.next.kind).toBe('Delete');
    expect(taken.record.actor).toBe('another');
    expect(taken.record.steps.at(-1)?.name).toBe('TakenOver');
  });

  it('is left to its actor for longer while that makes a picture', () => {
    const serving = step(step(begin(), [other], 1_000).record, [other, fresh], 4_000).record;
    expect(step(serving, [other, fresh], 150_000, 'another').record.actor).toBe('me');
    expect(step(serving, [other, fresh], 310_000, 'another').record.actor).toBe('another');
  });

  it('has failed when the handshake through the Service fails', () => {
    const serving = step(step(begin(), [other], 1_000).record, [other, fresh], 4_000).record;
    const checks: Verification['checks'] = [{ name: 'McpHandshake', result: 'Failed', message: 'refused' }];
    expect(step(serving, [other, fresh], 9_000, 'me', { ...verification, checks, summary: '2/3' }).record.outcome).toBe(
      'Failed',
    );
  });
});

describe('whatever the clock does', () => {
  it('a pause or an operator that was down is no time without service', () => {
    const deleted = step(begin(), [other], 1_000).record;
    const after = { ...fresh, readySince: T0 + 4_000 };
    const back = step(deleted, [other, after], 7_200_000).record;
    expect(back.unavailableSeconds).toBe(16);
    expect(back.steps.at(-1)).toMatchObject({ name: 'Serving', at: new Date(T0 + 7_200_000).toISOString() });
  });

  it('time never runs back in a record', () => {
    const deleted = step(begin(), [other], -3_600_000);
    const serving = step(deleted.record, [other, fresh], -3_599_000);
    const done = step(serving.record, [other, fresh], -3_598_000, 'me', verification);
    const times = [...done.record.steps.map((entry) => entry.at), done.record.finishedAt ?? ''];
    expect(times).toEqual([...times].sort());
    const early = begin({ ...broken, failingSince: T0 + 60_000 });
    expect(early.steps[0]?.at).toBe(new Date(T0).toISOString());
  });

  it('a clock set back stretches no wait', () => {
    expect(step(begin(), [broken, other], -10_000, 'another').next.kind).toBe('Wait');
    expect(step(begin(), [broken, other], -3_600_000, 'another').record.actor).toBe('another');
    const deleted = step(begin(), [other], 1_000).record;
    expect(step(deleted, [other], -3_600_000).record.outcome).toBe('Failed');
    const serving = step(deleted, [other, fresh], 4_000).record;
    expect(step(serving, [other, fresh], -3_600_000).record.outcome).toBe('Recovered');
    const blocked = { ...broken, repairable: false, diagnosis: 'NetworkBlocked' as const };
    expect(step(begin(), [blocked, other], -3_600_000).record.outcome).toBe('NotNeeded');
  });
});

describe('what would stop every later repair', () => {
  const failedAgain = { ...seen({ ...failing, name: 'studio-mcp-3', uid: 'uid-3' }), createdAt: fresh.createdAt };
  const served = () => {
    const deleted = step(begin(), [other], 1_000);
    return step(deleted.record, [other, fresh], 4_000).record;
  };

  it('ends as Failed when the replacement fails again before the checks are done', () => {
    const ended = step(served(), [other, failedAgain], 20_000);
    expect(ended.record).toMatchObject({ outcome: 'Failed', finishedAt: new Date(T0 + 20_000).toISOString() });
    expect(ended.record.steps.at(-1)?.name).toBe('ReplacementFailed');
  });

  it('ends without the checks when their result never comes', () => {
    expect(step(served(), [other, fresh], 590_000).next.kind).toBe('Verify');
    expect(step(served(), [other, fresh], 605_000).record.outcome).toBe('Recovered');
    expect(step(served(), [other], 605_000).record.outcome).toBe('Failed');
  });

  it('takes a server that asks for credentials as serving', () => {
    const asks = { own: { last: handshakeOf('AuthRequired'), at: T0, failures: 0, failingSince: null } };
    const guarded = { ...seen({ ...asks, name: 'studio-mcp-3', uid: 'uid-3' }), createdAt: fresh.createdAt };
    const deleted = step(begin(), [other], 1_000);
    expect(step(deleted.record, [other, guarded], 4_000).next.kind).toBe('Verify');
    const back = seen({ ...asks, probe: reportOf({ verdict: 'AuthRequired' }) });
    expect(step(begin(), [back, other], 10).record.outcome).toBe('NotNeeded');
  });

  it('finds the replacement although the clock of the API server is behind ours', () => {
    const behind = { ...fresh, createdAt: T0 - 60_000 };
    const deleted = step(begin(), [other], 1_000);
    expect(step(deleted.record, [other, behind], 4_000).record.replacement).toBe(fresh.pod);
    expect(step(deleted.record, [other], 4_000).record.replacement).toBeUndefined();
  });

  it('deletes nothing that a restart cannot help any more', () => {
    const blocked = { ...broken, verdict: 'Unknown' as const, diagnosis: 'NetworkBlocked' as const, repairable: false };
    expect(step(begin(), [blocked, other], 40_000).next.kind).toBe('Wait');
    expect(step(begin(), [blocked, other], 120_000).record.outcome).toBe('NotNeeded');
  });

  it('keeps within the bounds of the status, whatever happens to it', () => {
    let record = begin();
    for (let taken = 1; taken <= 60; taken += 1) {
      const pods = [other, { ...fresh, pod: `studio-mcp-${taken}`, verdict: 'Unreachable' as const, starting: true }];
      record = advance(record, input(pods, `actor-${taken}`, 3_600), T0 + taken * 31_000).record;
    }
    expect(record.outcome).toBeUndefined();
    expect(repairSchema.parse(record).steps.map((entry) => entry.name)).toEqual(
      expect.arrayContaining(['HandshakeFailed', 'Diagnosed', 'PodDeleted', 'TakenOver', 'ReplacementStarted']),
    );
  });

  it('never writes a negative time, an impossible status or an attempt past the bound', () => {
    const odd = reportOf({ verdict: 'Failing', diagnosis: 'HttpError', failures: 2e6, failingSince: T0 + 60_000 });
    const ahead = seen({ ...failing, probe: { ...odd, evidence: { ...odd.evidence, status: 999 } } });
    const recovered = step(step(begin(ahead), [other], 1_000).record, [other, fresh], 4_000).record;
    expect(() => repairSchema.parse(recovered)).not.toThrow();
    expect(recovered.unavailableSeconds).toBe(0);
    const repair = { pod: broken, action: 'RestartPod' as const, trigger: 'Handshake' as const };
    const thousandth = { repair, pods: [broken], actor: 'me', attempt: 1_001 };
    expect(beginRepair({ ...thousandth, diagnosis: 'HttpError', log: undefined }, T0).attempt).toBe(1_000);
  });
});
