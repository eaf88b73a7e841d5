/** Whatever a server claims of itself, the status stays within its bounds. */
import { expect, it } from 'vitest';
import { NOTHING_MISSING } from '../observe/secret-references.ts';
import { plan } from '../plan.ts';
import { statusSchema } from '../resource/status.ts';
import { handshakeOf, klingApiOf, planInputOf, podOf, T0 } from '../testing.ts';
import { buildStatus } from './build.ts';

it('takes no more protocol versions, and no longer ones, than the status holds', () => {
  const protocolVersions = ['x'.repeat(65), '2025-11-25', ...Array.from({ length: 40 }, (_, n) => `2026-01-${n + 10}`)];
  const server = { name: 'n'.repeat(300), version: 'v'.repeat(300), protocolVersions, sessionful: false };
  const observations = [
    podOf({ own: { last: { ...handshakeOf('Serving'), server }, at: T0, failures: 0, failingSince: null } }),
  ];
  const klingApi = klingApiOf();
  const made = plan(planInputOf(klingApi, observations), T0);
  const status = buildStatus(
    {
      klingApi,
      plan: made,
      acts: {
        repairs: [],
        state: made.state,
        repairsTotal: 0,
        decision: made.decision,
        restartedAt: undefined,
        rejected: undefined,
        begun: undefined,
        busy: false,
        afterWrite: async () => {},
      },
      verification: undefined,
      revision: 'r1',
      rollout: { kind: 'Wanted', revision: 'r1' },
      workloads: {
        api: { ready: 1, wanted: 1 },
        mcp: { ready: 1, wanted: 1, rollingOut: false },
        sandbox: { ready: 1 },
      },
      stalled: null,
      retrying: null,
      missing: NOTHING_MISSING,
      observations,
    },
    T0,
  );
  expect(() => statusSchema.parse(status)).not.toThrow();
  expect(status.mcp?.protocolVersions).toContain('2026-01-49');
});
