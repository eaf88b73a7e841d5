/** Whatever a server claims of itself, the status stays within its bounds. */
import { expect, it } from 'vitest';
import { NOTHING_MISSING } from '../observe/missing.ts';
import { plan } from '../plan.ts';
import type { PodObservation } from '../remediation/observation.ts';
import { statusSchema } from '../resource/status.ts';
import { handshakeOf, klingApiOf, planInputOf, podOf, T0 } from '../testing.ts';
import { buildStatus } from './build.ts';

const statusOf = (spec: Record<string, unknown>, observations: PodObservation[]) => {
  const klingApi = klingApiOf(spec);
  const made = plan(planInputOf(klingApi, observations), T0);
  return buildStatus(
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
      exposure: undefined,
      revision: 'r1',
      restartedAt: undefined,
      rollout: { kind: 'Wanted', revision: 'r1' },
      workloads: {
        api: { ready: 1, wanted: 1, rollingOut: false, refused: null },
        mcp: { ready: 1, wanted: 1, rollingOut: false, refused: null },
        sandbox: { ready: 1 },
      },
      apiTrouble: { reason: 'Starting', message: 'the API is starting' },
      stalled: null,
      retrying: null,
      missing: NOTHING_MISSING,
      optionalKinds: null,
      definition: null,
      observations,
    },
    T0,
  );
};

it('takes no more protocol versions, and no longer ones, than the status holds', () => {
  const protocolVersions = ['x'.repeat(65), '2025-11-25', ...Array.from({ length: 40 }, (_, n) => `2026-01-${n + 10}`)];
  const server = { name: 'n'.repeat(300), version: 'v'.repeat(300), protocolVersions, sessionful: false };
  const status = statusOf({}, [
    podOf({ own: { last: { ...handshakeOf('Serving'), server }, at: T0, failures: 0, failingSince: null } }),
  ]);
  expect(() => statusSchema.parse(status)).not.toThrow();
  expect(status.mcp?.protocolVersions).toContain('2026-01-49');
});

it('tells the addresses by which others reach the services', () => {
  expect(statusOf({}, []).endpoints).toEqual({
    mcp: 'http://studio-mcp.media.svc:5510/mcp/v1',
    api: 'http://studio-api.media.svc:5511',
    docs: 'http://studio-api.media.svc:5511/docs',
  });
  const expose = { ingress: { host: 'kling.example.com', tlsSecretName: 'tls' } };
  expect(statusOf({ expose }, []).endpoints).toEqual({
    mcp: 'https://kling.example.com/mcp/v1',
    api: 'https://kling.example.com',
    docs: 'https://kling.example.com/docs',
  });
});
