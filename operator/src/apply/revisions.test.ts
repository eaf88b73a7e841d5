/** When a restart of all pods that was written down reaches the template. */
import type { V1Deployment } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { RESTARTED_AT, restartedAt } from '../children/revision.ts';
import type { RepairRecord } from '../resource/status.ts';
import { klingApiOf, T0 } from '../testing.ts';
import { chosenDeployment } from './revisions.ts';

const time = (ms: number): string => new Date(T0 + ms).toISOString();
const EARLIER = time(-86_400_000);
const ASKED = time(0);

const deployment = (stamp?: string): V1Deployment => ({
  metadata: { name: 'studio-mcp' },
  spec: {
    selector: {},
    template: {
      metadata: {
        labels: { 'klingapi.dev/revision': 'r1' },
        ...(stamp === undefined ? {} : { annotations: { [RESTARTED_AT]: stamp } }),
      },
    },
  },
});

const record = (more: Partial<RepairRecord> = {}): RepairRecord => ({
  id: 'restart',
  startedAt: ASKED,
  pod: 'studio-mcp-1',
  podUid: 'uid-1',
  diagnosis: 'HttpError',
  evidence: { observer: 'Probe', message: '' },
  action: 'RolloutRestart',
  trigger: 'Handshake',
  attempt: 1,
  actor: 'me',
  servedBefore: 0,
  steps: [],
  ...more,
});
const takenUp = { name: 'RolloutRestarted', at: time(1_000) };

interface Options {
  spec?: object;
  repairs?: RepairRecord[];
  live?: string | undefined;
  after?: number;
}

function stamp({ spec = {}, repairs = [record()], live = EARLIER, after = 1_000 }: Options): string | undefined {
  const klingApi = klingApiOf({ ...spec }, { revisions: { current: 'r1', restartedAt: ASKED }, repairs });
  const deps = { caches: { child: () => undefined }, turns: { take: () => true }, now: () => T0 + after };
  const chosen = chosenDeployment(
    klingApi,
    deployment(),
    deployment(live),
    deps as unknown as Parameters<typeof chosenDeployment>[3],
  );
  return restartedAt(chosen.deployment);
}

describe('a restart of all pods', () => {
  it('is applied once it is written down, and stays', () => {
    expect(stamp({})).toBe(ASKED);
    expect(stamp({ repairs: [record({ outcome: 'Recovered', steps: [takenUp] })], after: 86_400_000 })).toBe(ASKED);
    expect(stamp({ repairs: [record({ outcome: 'Failed', steps: [takenUp] })] }), 'with a cache that is behind').toBe(
      ASKED,
    );
    expect(stamp({ repairs: [], live: ASKED })).toBe(ASKED);
  });

  it.each<[string, Options]>([
    ['the mode is Off by now', { spec: { remediation: { mode: 'Off' } } }],
    ['the mode is DryRun by now', { spec: { remediation: { mode: 'DryRun' } } }],
    ['it was given up before it was taken up', { repairs: [record({ outcome: 'Failed' })] }],
    ['nobody was there to apply it for long', { after: 86_400_000 }],
  ])('is not applied any more where %s', (_, options) => {
    expect(stamp(options)).toBe(EARLIER);
  });
});
