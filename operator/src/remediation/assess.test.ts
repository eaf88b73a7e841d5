import { describe, expect, it } from 'vitest';
import { handshakeOf, POLICY, podOf, reportOf, T0 } from '../testing.ts';
import { type Assessment, assess } from './assess.ts';
import { NO_HANDSHAKES, type PodObservation } from './observation.ts';

const failingOwn = { last: handshakeOf('Failing', 'HttpError'), at: T0, failures: 2, failingSince: T0 - 4_000 };
const silentOwn = { last: handshakeOf('Unreachable', 'ProcessHung'), at: T0, failures: 3, failingSince: T0 - 9_000 };
/** Failing for longer than the kubelet and the probe need to see it too. */
const oldSilence = { ...silentOwn, failingSince: T0 - 20_000 };
const refusedOwn = { ...oldSilence, last: handshakeOf('Unreachable', 'ConnectionRefused') };
const dead = reportOf({ verdict: 'Failing', diagnosis: 'SessionManagerDown', failures: 3, failingSince: T0 - 10_000 });
const running = podOf().container;

const cases: [string, Partial<PodObservation>, Partial<Assessment>][] = [
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
    { probe: null, own: oldSilence },
    { diagnosis: 'NetworkBlocked', repairable: false },
  ],
  ['serves inside only', { own: oldSilence }, { diagnosis: 'NetworkBlocked', repairable: false }],
  ['serves inside and refuses outside', { own: refusedOwn }, { diagnosis: 'LoopbackOnly', repairable: false }],
  [
    'has a name that the operator cannot resolve',
    { own: { ...NO_HANDSHAKES, last: handshakeOf('Unknown', 'NameResolution'), at: T0 } },
    { diagnosis: 'NameResolution', repairable: false },
  ],
  [
    'has just stopped to answer: the kubelet and the probe have not looked again',
    { probe: null, own: silentOwn },
    { diagnosis: 'ObserversDisagree', repairable: false },
  ],
  [
    'has just died: its probe has not looked again',
    { own: { ...refusedOwn, failingSince: T0 - 2_000 } },
    { diagnosis: 'ObserversDisagree', repairable: false },
  ],
  ...(['RequestRefused', 'VersionMismatch', 'EraMismatch'] as const).map((diagnosis): (typeof cases)[number] => [
    `fails for what it is (${diagnosis})`,
    {
      probe: reportOf({ verdict: 'Failing', diagnosis, failures: 9, failingSince: T0 - 60_000 }),
      own: { ...failingOwn, last: handshakeOf('Failing', diagnosis) },
    },
    { diagnosis, repairable: false },
  ]),
  ...(
    ['HttpError', 'NeverEndingReply', 'EmptyReply', 'WrongProtocol', 'ConnectionRefused', 'ProcessHung'] as const
  ).map((diagnosis): (typeof cases)[number] => [
    `fails in its process (${diagnosis})`,
    {
      probe: reportOf({ verdict: 'Failing', diagnosis, failures: 9, failingSince: T0 - 60_000 }),
      own: { ...failingOwn, last: handshakeOf('Failing', diagnosis) },
    },
    { diagnosis, repairable: true, hung: diagnosis === 'ProcessHung' },
  ]),
  [
    'is slow',
    {
      probe: reportOf({ verdict: 'Serving', diagnosis: 'Slow' }),
      own: { ...NO_HANDSHAKES, last: handshakeOf('Serving', 'Slow'), at: T0 },
    },
    { diagnosis: 'Slow', repairable: false },
  ],
  [
    'is slow for one observer alone',
    { own: { ...NO_HANDSHAKES, last: handshakeOf('Serving', 'Slow'), at: T0 } },
    { diagnosis: null, repairable: false },
  ],
  [
    'takes other credentials',
    { own: { ...NO_HANDSHAKES, last: handshakeOf('AuthRequired', 'KeyInvalid'), at: T0 } },
    { diagnosis: 'KeyInvalid', repairable: false },
  ],
  ['is on a node that does not report', { nodeLost: true }, { diagnosis: 'NodeNotReady', repairable: false }],
  [
    'ended once and is started again',
    {
      container: {
        ...running,
        state: 'Terminated',
        reason: 'Error',
        lastExit: { reason: 'Error', exitCode: 1, startedAt: T0 - 60_000, finishedAt: T0 - 500 },
      },
      own: silentOwn,
    },
    { diagnosis: 'Starting', repairable: false },
  ],
  [
    'runs for a moment between two crashes',
    {
      container: {
        ...running,
        startedAt: T0 - 2_000,
        restarts: 3,
        lastExit: { reason: 'Error', exitCode: 1, startedAt: T0 - 30_000, finishedAt: T0 - 25_000 },
      },
      probe: reportOf({ verdict: 'Failing', diagnosis: 'HttpError', failures: 1, firstServingAt: null }),
      own: failingOwn,
    },
    { diagnosis: 'CrashLoop', repairable: false },
  ],
  [
    'crashed in a loop an hour ago, and hangs now',
    {
      container: {
        ...running,
        restarts: 3,
        lastExit: { reason: 'Error', exitCode: 1, startedAt: T0 - 9_000_000, finishedAt: T0 - 3_700_000 },
      },
      probe: null,
      own: silentOwn,
      ready: { value: false, since: T0 - 12_000 },
    },
    { diagnosis: 'ProcessHung', repairable: true, hung: true },
  ],
  [
    'listens on loopback only and was restarted for it, again and again',
    {
      container: {
        ...running,
        startedAt: T0 - 30_000,
        restarts: 4,
        lastExit: { reason: 'Error', exitCode: 137, startedAt: T0 - 640_000, finishedAt: T0 - 32_000 },
      },
      own: refusedOwn,
    },
    { diagnosis: 'LoopbackOnly', repairable: false },
  ],
  [
    'was restarted beside a sidecar that had seen it serve before',
    {
      container: { ...running, startedAt: T0 - 5_000, restarts: 1 },
      probe: reportOf({
        verdict: 'Unreachable',
        diagnosis: 'ConnectionRefused',
        failures: 3,
        failingSince: T0 - 8_000,
      }),
      own: refusedOwn,
    },
    { diagnosis: 'Starting', repairable: false },
  ],
  ...(
    [
      ['container has runAsNonRoot and image will run as root (pod: "x", container: mcp)', 'RunAsNonRoot'],
      [
        'container has runAsNonRoot and image has non-numeric user (node), cannot verify user is non-root',
        'RunAsNonRoot',
      ],
      ['secret "headers" not found', 'MissingSecret'],
      ["couldn't find key token in Secret media/headers", 'MissingSecret'],
      ['configmap "settings" not found', 'MissingConfigMap'],
    ] as const
  ).map(([message, diagnosis]): (typeof cases)[number] => [
    `cannot be made: ${message}`,
    { container: { ...running, state: 'Waiting', startedAt: null, reason: 'CreateContainerConfigError', message } },
    { diagnosis, repairable: false },
  ]),
  [
    'waits for a Secret that it mounts',
    {
      container: { ...running, state: 'Waiting', startedAt: null, reason: 'ContainerCreating' },
      missingSecret: 'Secret headers does not exist',
    },
    { diagnosis: 'MissingSecret', repairable: false },
  ],
  [
    'has a probe without an image',
    { sidecar: { ...running, state: 'Waiting', startedAt: null, reason: 'ImagePullBackOff' } },
    { diagnosis: 'ImagePull', repairable: false },
  ],
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
        lastExit: { reason: 'OOMKilled', exitCode: 137, startedAt: T0 - 60_000, finishedAt: T0 },
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
    'has served the operator once, and its sidecar has not looked since the process before it',
    {
      container: { ...running, startedAt: T0 - 5_000 },
      probe: reportOf({ verdict: 'Unreachable', failures: 60, failingSince: T0 - 600_000, firstServingAt: null }),
      own: failingOwn,
      servedAt: T0 - 3_000,
    },
    { diagnosis: 'Starting', repairable: false },
  ],
  [
    'hung before it had served the kubelet: the operator saw it serve',
    {
      container: { ...running, startedAt: T0 - 20_000 },
      probe: null,
      own: silentOwn,
      ready: { value: false, since: T0 - 20_000 },
      servedAt: T0 - 12_000,
    },
    { diagnosis: 'ProcessHung', repairable: true, failingSince: T0 - 12_000 },
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
    expect(assess(podOf(overrides), POLICY, T0)).toMatchObject(expected);
  });

  it('hung counts from the earlier of the first failed handshake and the Ready condition', () => {
    const pod = podOf({ probe: null, own: silentOwn, ready: { value: false, since: T0 - 12_000 } });
    expect(assess(pod, POLICY, T0).failingSince).toBe(T0 - 12_000);
  });
});
