import { describe, expect, it } from 'vitest';
import { NOTHING_MISSING } from '../observe/missing.ts';
import { assess } from '../remediation/assess.ts';
import type { Verification } from '../resource/status.ts';
import { handshakeOf, POLICY, podOf, reportOf, T0 } from '../testing.ts';
import { type ConditionInput, conditions } from './conditions.ts';

const serving = assess(podOf(), POLICY, T0);
const failing = assess(
  podOf({
    name: 'studio-mcp-2',
    uid: 'uid-2',
    probe: reportOf({ verdict: 'Failing', diagnosis: 'HttpError', failures: 3, failingSince: T0 - 9_000 }),
    own: { last: handshakeOf('Failing', 'HttpError'), at: T0, failures: 3, failingSince: T0 - 9_000 },
  }),
  POLICY,
  T0,
);
const asking = assess(
  podOf({
    probe: reportOf({ verdict: 'AuthRequired' }),
    own: { last: handshakeOf('AuthRequired'), at: T0, failures: 0, failingSince: null },
  }),
  POLICY,
  T0,
);
const down = { reason: 'ApiDown', message: 'the API process runs but is not ready' };
const verification: Verification = {
  summary: '3/3',
  at: new Date(T0).toISOString(),
  revision: 'r1',
  checks: [
    { name: 'ApiHealth', result: 'Passed', message: 'ok' },
    { name: 'McpHandshake', result: 'Passed', message: 'served' },
    { name: 'ImageGeneration', result: 'Passed', message: 'made' },
  ],
};
const input = (overrides: Partial<ConditionInput> = {}): ConditionInput => ({
  generation: 3,
  stalled: null,
  retrying: null,
  missing: NOTHING_MISSING,
  optionalKinds: null,
  definition: null,
  paused: false,
  api: { ready: 1, wanted: 1, trouble: down },
  mcp: { pods: [serving, { ...serving, pod: 'b', uid: 'b' }], wanted: 2, rollingOut: false, refused: null },
  verification,
  currentRevision: 'r1',
  exposure: null,
  upstream: 'http://kling',
  decision: { kind: 'Nothing' },
  judgement: { kind: 'Settled' },
  rollout: { kind: 'Wanted', revision: 'r1' },
  repairing: undefined,
  remediation: {},
  ...overrides,
});
const shown = (overrides: Partial<ConditionInput> = {}): string[] =>
  conditions([], input(overrides), T0).map((entry) => `${entry.type}=${entry.status} ${entry.reason}`);

describe('conditions', () => {
  it('all is well: the abnormal ones are absent', () => {
    expect(shown()).toEqual([
      'Ready=True Ready',
      'Accepted=True Accepted',
      'ApiAvailable=True PodsReady',
      'McpAvailable=True PodsServing',
      'ProtocolVerified=True HandshakePassed',
      'UpstreamReachable=True PictureMade',
    ]);
  });

  it('one of two fails: still Ready, but Degraded', () => {
    const list = shown({ mcp: { pods: [serving, failing], wanted: 2, rollingOut: false, refused: null } });
    expect(list).toContain('Ready=True Ready');
    expect(list).toContain('Degraded=True HttpError');
  });

  it('all fail: not Ready, and the protocol is not verified', () => {
    const list = shown({ mcp: { pods: [failing], wanted: 1, rollingOut: false, refused: null } });
    expect(list).toContain('Ready=False HttpError');
    expect(list).toContain('ProtocolVerified=False HttpError');
  });

  it('a server that asks for credentials is available, its protocol unknown, and that does not hold Ready back', () => {
    const list = shown({ mcp: { pods: [asking], wanted: 1, rollingOut: false, refused: null } });
    expect(list).toContain('Ready=True Ready');
    expect(list).toContain('McpAvailable=True PodsServing');
    expect(list).toContain('ProtocolVerified=Unknown AuthRequired');
  });

  it('wrong credentials of ours hold Ready back as little, but are told', () => {
    const list = shown({
      mcp: { pods: [{ ...asking, diagnosis: 'KeyInvalid' }], wanted: 1, rollingOut: false, refused: null },
    });
    expect(list).toContain('Ready=True Ready');
    expect(list).toContain('ProtocolVerified=Unknown KeyInvalid');
    expect(list).toContain('Degraded=True KeyInvalid');
  });

  it('a pod that only the operator does not reach is not called dead', () => {
    const blocked = { ...serving, verdict: 'Unknown' as const, diagnosis: 'NetworkBlocked' as const };
    const list = shown({ mcp: { pods: [blocked], wanted: 1, rollingOut: false, refused: null } });
    expect(list).toEqual(
      expect.arrayContaining([
        'Ready=Unknown NetworkBlocked',
        'McpAvailable=Unknown NetworkBlocked',
        'ProtocolVerified=Unknown NetworkBlocked',
        'Degraded=True NetworkBlocked',
      ]),
    );
    const lost = { ...blocked, diagnosis: 'NodeNotReady' as const, readySince: null };
    expect(shown({ mcp: { pods: [lost], wanted: 1, rollingOut: false, refused: null } })).toEqual(
      expect.arrayContaining(['McpAvailable=False NodeNotReady', 'ProtocolVerified=Unknown NodeNotReady']),
    );
  });

  it('a slow server is Degraded, and serves', () => {
    const slow = { ...serving, diagnosis: 'Slow' as const };
    const list = shown({ mcp: { pods: [slow], wanted: 1, rollingOut: false, refused: null } });
    expect(list).toEqual(expect.arrayContaining(['Ready=True Ready', 'Degraded=True Slow']));
  });

  it('pods that are refused are told where there is no pod to say it, and beside pods that serve', () => {
    const refused = { reason: 'QuotaExceeded', message: 'exceeded quota' };
    expect(shown({ mcp: { pods: [], wanted: 1, rollingOut: true, refused } })).toEqual(
      expect.arrayContaining(['McpAvailable=False QuotaExceeded', 'Degraded=True QuotaExceeded']),
    );
    expect(shown({ mcp: { pods: [serving], wanted: 2, rollingOut: true, refused } })).toEqual(
      expect.arrayContaining(['McpAvailable=True PodsServing', 'Degraded=True QuotaExceeded']),
    );
  });

  it('a pod that cannot start is told beside one that serves, one that starts is not', () => {
    const stuck = { ...failing, diagnosis: 'ImagePull' as const, starting: true };
    const list = (second: typeof stuck | (typeof failing & { diagnosis: 'Starting' })) =>
      shown({ mcp: { pods: [serving, second], wanted: 2, rollingOut: true, refused: null } });
    expect(list(stuck)).toContain('Degraded=True ImagePull');
    expect(list({ ...failing, diagnosis: 'Starting' as const, starting: true }).join()).not.toContain('Degraded');
  });

  it('an upstream that fails does not hold Ready back', () => {
    const checks = verification.checks.map((check) =>
      check.name === 'ImageGeneration' ? { ...check, result: 'Inconclusive' as const } : check,
    );
    const list = shown({ verification: { ...verification, checks } });
    expect(list).toContain('UpstreamReachable=False UpstreamRefused');
    expect(list).toContain('Ready=True Ready');
  });

  it('what was said of one upstream is not said of the next', () => {
    const list = (upstream: string) => shown({ verification: { ...verification, upstream } });
    expect(list('http://kling')).toContain('UpstreamReachable=True PictureMade');
    expect(list('http://before')).toContain('UpstreamReachable=Unknown NotVerifiedYet');
  });

  it('a new revision is unverified until it was looked at', () => {
    expect(shown({ currentRevision: 'r2' })).toContain('ProtocolVerified=Unknown NotVerifiedYet');
    expect(shown({ currentRevision: 'r2' })).toContain('Ready=Unknown NotVerifiedYet');
  });

  it('a Secret that is missing is told where the pods that wait for it are missed', () => {
    const finding = { reason: 'MissingSecret', message: 'Secret kling does not exist' };
    const waiting = shown({ api: { ready: 0, wanted: 1, trouble: down }, missing: { api: finding, mcp: null } });
    expect(waiting).toEqual(
      expect.arrayContaining([
        'Ready=False MissingSecret',
        'Accepted=True Accepted',
        'ApiAvailable=False MissingSecret',
        'Reconciling=True MissingSecret',
      ]),
    );
    const headers = shown({
      mcp: { pods: [], wanted: 2, rollingOut: true, refused: null },
      missing: { api: null, mcp: finding },
    });
    expect(headers).toEqual(
      expect.arrayContaining(['McpAvailable=False MissingSecret', 'Reconciling=True MissingSecret']),
    );
  });

  it('a Secret that went away under pods that run takes nothing out, but is told', () => {
    const list = shown({ missing: { api: { reason: 'MissingSecret', message: 'gone' }, mcp: null } });
    expect(list).toEqual(expect.arrayContaining(['Ready=True Ready', 'Reconciling=True MissingSecret']));
  });

  it('a kind that the cluster lacks is told, and holds nothing back', () => {
    const list = shown({ optionalKinds: { reason: 'HTTPRouteNotServed', message: 'HTTPRoute is not served' } });
    expect(list).toEqual(expect.arrayContaining(['Ready=True Ready', 'OptionalKindsMissing=True HTTPRouteNotServed']));
    expect(list.join()).not.toMatch(/Reconciling|Stalled|Degraded/);
  });

  it('what the public URL shows is told, and Ready does not depend on it', () => {
    expect(shown().join()).not.toContain('Exposed');
    expect(shown({ exposure: undefined })).toContain('Exposed=Unknown NotVerifiedYet');
    const seen = { url: 'https://kling.example/mcp/v1', message: 'it was asked', since: new Date(T0).toISOString() };
    for (const [result, reason, condition] of [
      ['Passed', 'HandshakePassed', 'Exposed=True HandshakePassed'],
      ['Failed', 'HttpError', 'Exposed=False HttpError'],
      ['Inconclusive', 'NameResolution', 'Exposed=Unknown NameResolution'],
    ] as const) {
      const list = shown({ exposure: { ...seen, result, reason } });
      expect(list).toEqual(expect.arrayContaining(['Ready=True Ready', condition]));
      expect(list.join()).not.toMatch(/Reconciling|Stalled|Degraded/);
    }
  });

  it('a foreign child stalls', () => {
    const list = shown({ stalled: { reason: 'ForeignObject', message: 'Service studio-mcp exists' } });
    expect(list).toEqual(
      expect.arrayContaining([
        'Ready=False ForeignObject',
        'Accepted=False ForeignObject',
        'Stalled=True ForeignObject',
      ]),
    );
  });

  it('the time moves only with the status', () => {
    const first = conditions([], input(), T0);
    const later = conditions(first, input({ generation: 4, repairing: 'x' }), T0 + 60_000);
    expect(later.find((entry) => entry.type === 'Ready')).toMatchObject({
      observedGeneration: 4,
      lastTransitionTime: first[0]?.lastTransitionTime,
    });
    expect(later.find((entry) => entry.type === 'Reconciling')?.lastTransitionTime).toBe(
      new Date(T0 + 60_000).toISOString(),
    );
  });
});
