import { describe, expect, it } from 'vitest';
import { earlierRepair, klingApiOf } from '../testing.ts';
import { standingOf } from './standing.ts';

const conditionsOf = (...told: [type: string, status: string, reason: string][]) => ({
  conditions: told.map(([type, status, reason]) => ({
    ...{ type, status, reason, message: `${reason} in words`, lastTransitionTime: '2026-11-24T10:00:00Z' },
  })),
});
const READY: [string, string, string] = ['Ready', 'True', 'Ready'];
const degraded = (reason: string): [string, string, string] => ['Degraded', 'True', reason];
const underWay = { ...earlierRepair({ replacement: 'r', servedAt: 0 }), outcome: undefined };
const cases: [string, Record<string, unknown>, Record<string, unknown> | undefined, string, string][] = [
  ['was never looked at', {}, undefined, 'Starting', 'NotSeen'],
  ['is ready', {}, conditionsOf(READY), 'Well', 'Ready'],
  ['is paused', { paused: true }, conditionsOf(READY), 'Paused', 'Paused'],
  [
    'starts',
    {},
    conditionsOf(['Ready', 'False', 'RollingOut'], ['Reconciling', 'True', 'RollingOut']),
    'Starting',
    'RollingOut',
  ],
  ['is not ready, and nothing goes on', {}, conditionsOf(['Ready', 'False', 'ApiDown']), 'Troubled', 'ApiDown'],
  ['lacks a Secret', {}, conditionsOf(['Ready', 'False', 'MissingSecret']), 'NeedsPerson', 'MissingSecret'],
  ['serves slowly', {}, conditionsOf(READY, degraded('Slow')), 'Troubled', 'Slow'],
  ['fails and backs off', {}, conditionsOf(READY, degraded('BackingOff')), 'Troubled', 'BackingOff'],
  [
    'fails because of its settings',
    {},
    conditionsOf(READY, degraded('RequestRefused')),
    'NeedsPerson',
    'RequestRefused',
  ],
  [
    'fails while it is paused',
    { paused: true },
    conditionsOf(READY, degraded('HttpError')),
    'NeedsPerson',
    'HttpError',
  ],
  [
    'fails where repairs are off',
    { remediation: { mode: 'DryRun' } },
    conditionsOf(READY, degraded('HttpError')),
    ...(['NeedsPerson', 'HttpError'] as const),
  ],
  ['is being repaired', {}, { ...conditionsOf(degraded('HttpError')), repairs: [underWay] }, 'Repairing', 'HttpError'],
  [
    'has spent its repairs',
    {},
    conditionsOf(READY, degraded('RemediationExhausted'), ['RemediationExhausted', 'True', 'BudgetSpent']),
    ...(['NeedsPerson', 'BudgetSpent'] as const),
  ],
  [
    'went back to an older revision',
    {},
    conditionsOf(READY, ['Stalled', 'True', 'RolledBack']),
    'NeedsPerson',
    'RolledBack',
  ],
  [
    'has a vendor that is down',
    {},
    conditionsOf(READY, ['UpstreamReachable', 'False', 'UpstreamDown']),
    'Troubled',
    'UpstreamDown',
  ],
  [
    'has a key that the vendor refuses',
    {},
    conditionsOf(READY, ['UpstreamReachable', 'False', 'UpstreamKeyInvalid']),
    ...(['NeedsPerson', 'UpstreamKeyInvalid'] as const),
  ],
];

describe('a KlingApi that', () => {
  it.each(cases)('%s', (_, spec, status, kind, reason) => {
    const standing = standingOf(klingApiOf(spec, status));
    expect([standing.kind, standing.reason]).toEqual([kind, reason]);
    expect(standing.message).not.toBe('');
    if (kind === 'NeedsPerson') expect(standing.next).toMatch(/^kubectl .* klingapi studio -n media/);
  });
});
