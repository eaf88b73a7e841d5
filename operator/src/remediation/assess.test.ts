import { describe, expect, it } from 'vitest';
import { handshakeOf, podOf, reportOf, T0 } from '../testing.ts';
import { assess } from './assess.ts';
import type { PodObservation } from './observation.ts';

const policy = { startupGraceSeconds: 60 };
const failingOwn = { last: handshakeOf('Failing', 'HttpError'), at: T0, failures: 2, failingSince: T0 - 4_000 };
const silentOwn = { last: handshakeOf('Unreachable', 'ProcessHung'), at: T0, failures: 3, failingSince: T0 - 9_000 };
const dead = reportOf({ verdict: 'Failing', diagnosis: 'SessionManagerDown', failures: 3, failingSince: T0 - 10_000 });
const running = podOf().container;

const cases: [string, Partial<PodObservation>, { diagnosis: string | null; repairable: boolean; hung?: boolean }][] = [
  ['serves', {}, { diagnosis: null, repairable: false }],
  [
    'both observers see it fail',
    { probe: dead, own: failingOwn },
    { diagnosis: 'SessionManagerDown', repairable: true },
  ],
  ['only the probe sees it fail', { probe: dead }, { diagnosis: 'ObserversDisagree', repairable: false }],
  [
    'the operator did not look yet',
    { probe: dead, own: { last: null, at: null, failures: 0, failingSince: null } },
    { diagnosis: 'SessionManagerDown', repairable: false },
  ],
  [
    'hangs: nothing answers, the kubelet agrees',
    { probe: null, own: silentOwn, ready: { value: false, since: T0 - 5_000 } },
    { diagnosis: 'ProcessHung', repairable: true, hung: true },
  ],
  [
    'the operator alone does not reach it',
    { probe: null, own: silentOwn },
    { diagnosis: 'NetworkBlocked', repairable: false },
  ],
  ['serves inside only', { own: silentOwn }, { diagnosis: 'NetworkBlocked', repairable: false }],
  ['is ending', { deleting: true, probe: dead, own: failingOwn }, { diagnosis: 'Ending', repairable: false }],
  [
    'crashes in a loop',
    {
      container: { ...running, state: 'Waiting', startedAt: null, reason: 'CrashLoopBackOff', restarts: 4 },
      own: silentOwn,
    },
    { diagnosis: 'CrashLoop', repairable: false },
  ],
  [
    'ran out of memory',
    {
      container: {
        ...running,
        state: 'Waiting',
        startedAt: null,
        reason: 'CrashLoopBackOff',
        restarts: 2,
        lastExit: { reason: 'OOMKilled', exitCode: 137, finishedAt: T0 },
      },
    },
    { diagnosis: 'OutOfMemory', repairable: false },
  ],
  [
    'has no image',
    { container: { ...running, state: 'Waiting', startedAt: null, reason: 'ImagePullBackOff' } },
    { diagnosis: 'ImagePull', repairable: false },
  ],
  [
    'has no node',
    { scheduling: { reason: 'Unschedulable', message: '0/1 nodes are available' } },
    { diagnosis: 'Unschedulable', repairable: false },
  ],
  [
    'is inside the startup grace',
    {
      container: { ...running, startedAt: T0 - 20_000 },
      probe: reportOf({
        verdict: 'Failing',
        diagnosis: 'HttpError',
        failures: 4,
        failingSince: T0 - 19_000,
        firstServingAt: null,
      }),
      own: failingOwn,
    },
    { diagnosis: 'Starting', repairable: false },
  ],
  [
    'never served and the grace is over',
    {
      container: { ...running, startedAt: T0 - 61_000 },
      probe: reportOf({
        verdict: 'Failing',
        diagnosis: 'HttpError',
        failures: 12,
        failingSince: T0 - 60_000,
        firstServingAt: null,
      }),
      own: failingOwn,
    },
    { diagnosis: 'HttpError', repairable: true },
  ],
  [
    'hung soon after it had served: the grace ended with the first handshake',
    {
      container: { ...running, startedAt: T0 - 20_000 },
      probe: null,
      own: silentOwn,
      ready: { value: false, since: T0 - 5_000 },
    },
    { diagnosis: 'ProcessHung', repairable: true },
  ],
  [
    'asks for credentials',
    {
      probe: reportOf({ verdict: 'AuthRequired' }),
      own: { last: handshakeOf('AuthRequired'), at: T0, failures: 0, failingSince: null },
    },
    { diagnosis: 'AuthRequired', repairable: false },
  ],
];

describe('a pod that', () => {
  it.each(cases)('%s', (_, overrides, expected) => {
    expect(assess(podOf(overrides), policy, T0)).toMatchObject(expected);
  });

  it('hung counts from the earlier of the first failed handshake and the Ready condition', () => {
    const pod = podOf({ probe: null, own: silentOwn, ready: { value: false, since: T0 - 12_000 } });
    expect(assess(pod, policy, T0).failingSince).toBe(T0 - 12_000);
  });
});
