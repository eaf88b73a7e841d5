/** Requests by annotation, and the bounds that the state keeps within. */
import { describe, expect, it } from 'vitest';
import { plan } from '../plan.ts';
import type { RemediationStatus } from '../resource/status.ts';
import { statusSchema } from '../resource/status.ts';
import { handshakeOf, klingApiOf, planInputOf, podOf, reportOf, T0 } from '../testing.ts';
import { afterRepair, givenUp, nextState, repairRequestOf } from './incident.ts';
import { NO_HANDSHAKES, observePod, type PodObservation } from './observation.ts';
import { writeDown } from './write-down.ts';

const policy = klingApiOf().spec.remediation;
const broken = podOf({
  ready: { value: false, since: T0 - 2_000 },
  probe: reportOf({ verdict: 'Failing', diagnosis: 'HttpError', failures: 1, failingSince: T0 - 2_000 }),
  own: { last: handshakeOf('Failing', 'HttpError'), at: T0, failures: 1, failingSince: T0 - 2_000 },
});

function look(annotation: string | undefined, remediation: RemediationStatus, pods: PodObservation[]) {
  const klingApi = klingApiOf({}, { remediation });
  if (annotation !== undefined) klingApi.metadata.annotations = { 'klingapi.dev/repair': annotation };
  return plan(planInputOf(klingApi, pods), T0);
}

describe('a request by annotation', () => {
  it.each(['now', 'x'.repeat(300), `${'x'.repeat(255)}😀`, 'a\u0085b'])('is acted on once (%#)', (value) => {
    expect(look(value, {}, [broken]).decision).toMatchObject({ kind: 'Repair', trigger: 'Request' });
    const handledRequest = repairRequestOf(value);
    expect(() => statusSchema.parse({ remediation: { handledRequest } })).not.toThrow();
    const spent = { ...(handledRequest === undefined ? {} : { handledRequest }), incident: new Date(T0).toISOString() };
    const exhaustedSince = new Date(T0 - 1_000).toISOString();
    const again = look(value, { ...spent, exhaustedSince, exhaustedGeneration: 1 }, [broken]);
    expect(again.state.exhaustedSince).toBe(exhaustedSince);
    expect(again.decision.kind).not.toBe('Repair');
    // the second time that repairs are spent it takes another value
    const another = look('another', { ...spent, exhaustedSince, exhaustedGeneration: 1 }, [broken]);
    expect(another.state.exhaustedSince).toBeUndefined();
    expect(another.decision).toMatchObject({ kind: 'Repair', trigger: 'Request' });
  });

  it('that the ladder has no answer to is given up on once, not again with every look', () => {
    const klingApi = (remediation: RemediationStatus) => {
      const made = klingApiOf({ remediation: { ladder: ['Rollback'], unhealthySeconds: 0 } }, { remediation });
      return { ...made, metadata: { ...made.metadata, annotations: { 'klingapi.dev/repair': 'now' } } };
    };
    const pods = [{ ...broken, probe: broken.probe === null ? null : { ...broken.probe, consecutiveFailures: 9 } }];
    let state: RemediationStatus = { exhaustedSince: new Date(T0 - 60_000).toISOString(), exhaustedGeneration: 1 };
    const kinds = [1, 2, 3].map((n) => {
      const made = plan(planInputOf(klingApi(state), pods), T0 + n * 1_000);
      const { decision } = made;
      state = decision.kind === 'Exhausted' ? givenUp(made.state, decision.cause, 1, T0 + n * 1_000) : made.state;
      return decision.kind;
    });
    expect(kinds).toEqual(['Exhausted', 'Hold', 'Hold']);
  });

  it('is not answered by a revision that is taken back at its deadline', () => {
    const klingApi = klingApiOf();
    klingApi.metadata.annotations = { 'klingapi.dev/repair': 'now' };
    const made = plan(planInputOf(klingApi, [broken]), T0);
    const [pod] = made.pods;
    if (pod === undefined) throw new Error('no pod');
    const handled = (trigger: 'Request' | 'Rollout') => {
      const repair = { pod, action: 'Rollback', trigger, failedAttempts: 0, reason: 'r', message: 'm' } as const;
      return writeDown({ klingApi, plan: made, repair, actor: 'me', log: '', finding: undefined }, T0).state
        .handledRequest;
    };
    expect([handled('Request'), handled('Rollout')]).toEqual(['now', undefined]);
  });

  it('made while all is well is not kept for a later failure', () => {
    const { state } = look('now', {}, [podOf()]);
    expect(look('now', state, [broken]).decision.kind).toBe('Hold');
  });
});

describe('the state', () => {
  it('waits no longer because the clock was set back, and forgets no repair', () => {
    const later = new Date(T0 + 7_200_000).toISOString();
    const { state } = look(undefined, { nextAllowedAt: later, recent: [later], incident: later }, [broken]);
    expect(state.nextAllowedAt).toBe(new Date(T0 + policy.backoff.maxSeconds * 1_000).toISOString());
    expect(state.recent).toEqual([new Date(T0).toISOString()]);
    const calm = look(undefined, { incident: later, servingSince: later }, [podOf()]);
    expect(calm.state.servingSince).toBe(new Date(T0).toISOString());
  });

  it('keeps within the bounds of the status', () => {
    const pods = Array.from({ length: 200 }, (_, n) =>
      podOf({
        name: `pod-${n}`,
        uid: `uid-${n}`,
        probe: null,
        ready: { value: false, since: T0 - 60_000 },
        own: { last: handshakeOf('Unreachable', 'ProcessHung'), at: T0, failures: 3, failingSince: T0 - 60_000 },
      }),
    );
    const { state } = look(undefined, {}, pods);
    expect(() => statusSchema.parse({ remediation: state })).not.toThrow();
    expect(
      afterRepair({ attempt: 1_000 }, policy, { action: 'RestartPod', failedAttempts: 0, trigger: 'Handshake' }, T0)
        .attempt,
    ).toBe(1_000);
  });

  it('lets an incident end although an evicted pod is still listed', () => {
    const evicted = observePod(
      { metadata: { name: 'studio-mcp-9', uid: 'uid-9' }, status: { phase: 'Failed', reason: 'Evicted' } },
      'mcp',
      null,
      NO_HANDSHAKES,
    );
    const incident = {
      incident: new Date(T0 - 900_000).toISOString(),
      servingSince: new Date(T0 - 400_000).toISOString(),
    };
    const { state, pods } = look(undefined, incident, [podOf(), evicted]);
    expect(state.incident).toBeUndefined();
    expect(pods.filter((pod) => !pod.ending)).toHaveLength(1);
    expect(nextState(incident, pods, policy, { generation: 1, repairRequest: undefined }, T0).incident).toBeUndefined();
  });
});

it('never has more repairs under way than the status keeps', () => {
  const repairs = Array.from({ length: 10 }, (_, n) => ({
    id: `r${n}`,
    startedAt: new Date(T0).toISOString(),
    pod: `gone-${n}`,
    podUid: `gone-${n}`,
    diagnosis: 'HttpError',
    evidence: { observer: 'Probe' as const, message: '' },
    action: 'RestartPod' as const,
    trigger: 'Handshake' as const,
    attempt: 1,
    actor: 'me',
    servedBefore: 0,
    otherPods: [broken.uid],
    steps: [],
  }));
  const klingApi = klingApiOf(
    {
      remediation: { maxConcurrentRepairs: 100, budget: { repairs: 20 }, unhealthySeconds: 0 },
      mcp: { handshake: { failureThreshold: 1 } },
    },
    { repairs },
  );
  const made = plan(planInputOf(klingApi, [broken]), T0);
  expect(made.decision).toMatchObject({ kind: 'Hold', reason: 'RepairUnderWay' });
});
