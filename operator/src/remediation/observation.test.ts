/** Readiness as the rules need it: of the container that makes the handshake, whatever else runs in the pod. */
import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { handshakeOf, POLICY, T0 } from '../testing.ts';
import { assess } from './assess.ts';
import { NO_HANDSHAKES, observePod } from './observation.ts';

const readinessProbe = { httpGet: { path: '/readyz', port: 9090 } };
const silent = { last: handshakeOf('Unreachable', 'ProcessHung'), at: T0, failures: 9, failingSince: T0 - 60_000 };

/** @param ready readiness by container; `probed` is the one with the readiness probe */
function podOf(probed: string, ready: Record<string, boolean>, podReady: boolean): V1Pod {
  return {
    metadata: { name: 'studio-mcp-1', uid: 'uid-1' },
    spec: { containers: Object.keys(ready).map((name) => ({ name, ...(name === probed ? { readinessProbe } : {}) })) },
    status: {
      podIP: '198.18.0.5',
      conditions: [{ type: 'Ready', status: podReady ? 'True' : 'False', lastTransitionTime: new Date(T0 - 90_000) }],
      containerStatuses: Object.entries(ready).map(([name, value]) => ({
        name,
        ready: value,
        image: name,
        imageID: name,
        restartCount: 0,
        state: { running: { startedAt: new Date(T0 - 3_600_000) } },
      })),
    },
  };
}
const judge = (pod: V1Pod) => assess(observePod(pod, 'mcp', null, silent), POLICY, T0);

describe('a pod that the operator does not reach', () => {
  it('is not hung because an injected sidecar is not ready', () => {
    const pod = podOf('mcp', { mcp: true, injected: false }, false);
    expect(judge(pod)).toMatchObject({ diagnosis: 'NetworkBlocked', repairable: false });
  });

  it('is not hung because its node is gone: only the pod condition turns then', () => {
    expect(judge(podOf('mcp', { mcp: true }, false))).toMatchObject({ repairable: false });
  });

  it.each([
    ['our own server', 'mcp', { mcp: false, injected: true }],
    ['another server, whose probe is beside it', 'probe', { mcp: true, probe: false }],
  ])('is hung when the kubelet agrees (%s)', (_, probed, ready) => {
    const expected = { diagnosis: 'ProcessHung', repairable: true, failingSince: T0 - 90_000 };
    expect(judge(podOf(probed, ready, false))).toMatchObject(expected);
  });

  it('counts from its own failures where the condition may have turned for another container', () => {
    const pod = podOf('mcp', { mcp: false, injected: false }, false);
    expect(observePod(pod, 'mcp', null, silent).ready).toEqual({ value: false, since: null });
    expect(judge(pod).failingSince).toBe(T0 - 60_000);
  });
});

describe('a node that does not report', () => {
  const gated = (ready: string, containersReady: string, gate?: string): V1Pod => ({
    metadata: { name: 'p', uid: 'u' },
    spec: {
      containers: [],
      ...(gate === undefined ? {} : { readinessGates: [{ conditionType: 'example.com/gate' }] }),
    },
    status: {
      conditions: [
        { type: 'Ready', status: ready },
        { type: 'ContainersReady', status: containersReady },
        ...(gate === undefined ? [] : [{ type: 'example.com/gate', status: gate }]),
      ],
    },
  });
  it.each([
    ['Ready is False although the containers are ready', gated('False', 'True'), true],
    ['the containers are not ready either', gated('False', 'False'), false],
    ['all is well', gated('True', 'True'), false],
    ['a readiness gate of somebody else is closed', gated('False', 'True', 'False'), false],
    ['the gate is open', gated('False', 'True', 'True'), true],
  ])('%s', (_, pod, lost) => {
    expect(observePod(pod, 'mcp', null, NO_HANDSHAKES).nodeLost).toBe(lost);
  });
});
