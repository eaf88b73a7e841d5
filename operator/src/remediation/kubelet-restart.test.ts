import { describe, expect, it } from 'vitest';
import type { Acts } from '../plan.ts';
import { type PodStatus, repairSchema } from '../resource/status.ts';
import { klingApiOf, POLICY, podOf, T0 } from '../testing.ts';
import { assess } from './assess.ts';
import { kubeletRestart, restartsSeen, withKubeletRestarts } from './kubelet-restart.ts';
import type { PodObservation } from './observation.ts';

const endedAt = T0 - 40_000;
const exit = { reason: 'Error', exitCode: 137, startedAt: endedAt - 3_600_000, finishedAt: endedAt };
const running = podOf().container;
const restarted = (overrides: Partial<PodObservation> = {}, lastExit: Partial<typeof exit> = {}): PodObservation => ({
  ...podOf({ container: { ...running, startedAt: T0 - 39_000, restarts: 1, lastExit: { ...exit, ...lastExit } } }),
  ...overrides,
});
const before: PodStatus = { name: 'studio-mcp-1', verdict: 'Serving', since: new Date(T0).toISOString() };
const look = (pod: PodObservation, status: PodStatus | undefined = before) =>
  kubeletRestart(pod, assess(pod, POLICY, T0), status, 1, T0);

describe('a restart by the kubelet', () => {
  it('is written down with what shows it', () => {
    const record = look(restarted());
    expect(() => repairSchema.parse(record)).not.toThrow();
    expect(record).toMatchObject({
      action: 'KubeletRestart',
      trigger: 'Liveness',
      diagnosis: 'ProcessHung',
      outcome: 'Recovered',
      replacement: 'studio-mcp-1',
      servedBefore: 1,
      servedAfter: 2,
    });
    expect(record?.evidence.message).toContain('exit code 137 after 3600 s');
    expect(record?.steps.map(({ name }) => name)).toEqual(['ContainerEnded', 'ContainerStarted', 'Serving']);
  });

  it('takes the diagnosis that was known before, if it is one of the process', () => {
    expect(look(restarted(), { ...before, diagnosis: 'ConnectionRefused' })?.diagnosis).toBe('ConnectionRefused');
    expect(look(restarted(), { ...before, diagnosis: 'NetworkBlocked' })?.diagnosis).toBe('ProcessHung');
  });

  it.each<[string, PodObservation, PodStatus?]>([
    ['that was written down already', restarted(), { ...before, restarts: 1 }],
    ['for its memory', restarted({}, { reason: 'OOMKilled' })],
    ['after it ended by itself', restarted({}, { exitCode: 1 })],
    ['sooner than the probe can fail', restarted({}, { startedAt: endedAt - 569_000 })],
    ['of a process that the operator saw serve a minute before', restarted({ servedBefore: endedAt - 60_000 })],
    ['of a container without a liveness probe', restarted({ livenessMs: null })],
  ])('is none where the container was started again %s', (_, pod, status) => {
    expect(look(pod, status)).toBeUndefined();
  });

  it('that the operator saw coming is one', () => {
    expect(look(restarted({ servedBefore: endedAt - 700_000 }))).toBeDefined();
  });

  it('waits until it is known whether it helped', () => {
    const young = restarted({
      probe: null,
      own: { last: null, at: null, failures: 0, failingSince: null },
      ready: { value: false, since: T0 - 39_500 },
    });
    const assessment = assess(young, POLICY, T0);
    expect(assessment.starting).toBe(true);
    expect(look(young)).toBeUndefined();
    expect(restartsSeen(young, assessment, 0)).toBe(0);
    expect(restartsSeen(restarted(), assess(restarted(), POLICY, T0), 0)).toBe(1);
  });

  it('is added once, and pushes out no repair that is under way', () => {
    const klingApi = klingApiOf({}, { mcp: { pods: [before] } });
    const pod = restarted();
    const record = look(pod)!;
    const many = Array.from({ length: 10 }, (_, index) => ({ ...record, id: `other-${index}` }));
    const { outcome: _, ...underWay } = { ...record, id: 'under-way' };
    const acts = { repairs: [...many.slice(0, 9), underWay], repairsTotal: 12 } as unknown as Acts;
    const once = withKubeletRestarts(klingApi, acts, [assess(pod, POLICY, T0)], [pod], T0);
    expect(once.repairs.map(({ id }) => id).slice(0, 3)).toEqual(['under-way', record.id, 'other-0']);
    expect(once.repairs).toHaveLength(10);
    expect(once.repairsTotal).toBe(13);
    expect(withKubeletRestarts(klingApi, once, [assess(pod, POLICY, T0)], [pod], T0)).toBe(once);
  });
});
