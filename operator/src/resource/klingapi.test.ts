/** A status that cannot be read as a whole costs neither the budget nor the KlingApi. */
import { expect, it } from 'vitest';
import { klingApiOf, T0 } from '../testing.ts';

const at = new Date(T0).toISOString();
const record = (id: string, action: string) => ({
  id,
  startedAt: at,
  pod: 'studio-mcp-1',
  podUid: 'uid-1',
  diagnosis: 'HttpError',
  evidence: { observer: 'Probe', message: '' },
  action,
  trigger: 'Handshake',
  attempt: 1,
  actor: 'me',
  servedBefore: 1,
  steps: [],
});

it('keeps what can be read of a status', () => {
  const { status } = klingApiOf(
    {},
    {
      repairs: [record('new', 'SomethingLater'), record('old', 'RestartPod')],
      remediation: { recent: [at], attempt: 3 },
      verification: { summary: 7 },
      repairsTotal: 12,
    },
  );
  expect(status).toMatchObject({ remediation: { recent: [at], attempt: 3 }, repairsTotal: 12 });
  expect(status?.repairs?.map(({ id }) => id)).toEqual(['old']);
  expect(status?.verification).toBeUndefined();
});

it('does without a status that is none', () => {
  expect(klingApiOf({}, 'nonsense' as unknown as Record<string, unknown>).status).toEqual({});
});
