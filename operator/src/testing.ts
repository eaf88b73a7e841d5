/** Builders for tests of the pure parts. */
import type { HandshakeResult, ProbeReport } from '@klingapi/probe';
import type { PlanInput } from './plan.ts';
import { NO_HANDSHAKES, type PodObservation } from './remediation/observation.ts';
import { type KlingApi, klingApiSchema } from './resource/klingapi.ts';
import type { RepairRecord } from './resource/status.ts';

/** What the spec says of handshakes by default, as far as an assessment asks. */
export const POLICY = { startupGraceSeconds: 60, periodSeconds: 5, timeoutSeconds: 3 };

export const T0 = Date.parse('2026-11-24T10:00:00Z');

export function klingApiOf(spec: Record<string, unknown> = {}, status?: Record<string, unknown>): KlingApi {
  return klingApiSchema.parse({
    metadata: {
      name: 'studio',
      namespace: 'media',
      uid: '6a1f0000-0000-4000-8000-000000000001',
      generation: 1,
      resourceVersion: '7',
    },
    spec: { upstream: { provider: 'Sandbox' }, ...spec },
    ...(status === undefined ? {} : { status }),
  });
}

const phases = { connectMs: 1, firstByteMs: 2, totalMs: 3 };

export const handshakeOf = (
  verdict: HandshakeResult['verdict'],
  diagnosis: HandshakeResult['diagnosis'] = null,
): HandshakeResult => ({
  verdict,
  diagnosis,
  message: `${verdict}${diagnosis === null ? '' : ` ${diagnosis}`}`,
  era: verdict === 'Serving' ? 'Legacy' : null,
  evidence: {
    era: 'Legacy',
    method: 'initialize',
    status: verdict === 'Failing' ? 500 : 200,
    contentType: null,
    excerpt: null,
    code: null,
    error: null,
    phases,
  },
  server: null,
});

export interface ReportOptions {
  verdict: ProbeReport['verdict'];
  diagnosis?: ProbeReport['diagnosis'];
  failures?: number;
  failingSince?: number | null;
  firstServingAt?: number | null;
}

export const reportOf = ({
  verdict,
  diagnosis = null,
  failures = 0,
  failingSince = null,
  firstServingAt = T0 - 3_600_000,
}: ReportOptions): ProbeReport => ({
  ...handshakeOf(verdict, diagnosis),
  at: new Date(T0).toISOString(),
  startedAt: new Date(T0 - 3_600_000).toISOString(),
  firstServingAt: firstServingAt === null ? null : new Date(firstServingAt).toISOString(),
  failingSince: failingSince === null ? null : new Date(failingSince).toISOString(),
  consecutiveFailures: failures,
  handshakes: 100,
});

export function podOf(overrides: Partial<PodObservation> = {}): PodObservation {
  return {
    name: 'studio-mcp-1',
    uid: 'uid-1',
    createdAt: T0 - 3_600_000,
    deleting: false,
    revision: 'r1',
    restartedAt: null,
    podIP: '198.18.0.5',
    nodeName: 'node1',
    nodeLost: false,
    scheduling: null,
    container: {
      state: 'Running',
      startedAt: T0 - 3_600_000,
      reason: null,
      message: null,
      restarts: 0,
      lastExit: null,
    },
    containerName: 'mcp',
    sidecar: null,
    missingSecret: null,
    livenessMs: 570_000,
    servedAt: null,
    servedBefore: null,
    ready: { value: true, since: T0 - 3_500_000 },
    probe: reportOf({ verdict: 'Serving' }),
    own: { ...NO_HANDSHAKES, last: handshakeOf('Serving'), at: T0 },
    ...overrides,
  };
}

/** A repair for HttpError that ended well. @param servedAt when its replacement began to serve, milliseconds */
export function earlierRepair({ replacement, servedAt }: { replacement: string; servedAt: number }): RepairRecord {
  const time = new Date(servedAt).toISOString();
  return {
    id: 'earlier',
    startedAt: time,
    finishedAt: time,
    pod: 'studio-mcp-0',
    podUid: 'uid-0',
    replacement,
    diagnosis: 'HttpError',
    evidence: { observer: 'Probe', message: 'HTTP 500' },
    action: 'RestartPod',
    trigger: 'Handshake',
    attempt: 1,
    actor: 'me',
    outcome: 'Recovered',
    servedBefore: 1,
    steps: [{ name: 'Serving', at: time }],
  };
}

/** A plan's input for an MCP workload at rest on revision r1. */
export function planInputOf(
  klingApi: KlingApi,
  observations: PodObservation[],
  overrides: Partial<PlanInput> = {},
): PlanInput {
  return {
    klingApi,
    observations,
    actor: 'me',
    takeVerification: () => undefined,
    workload: { revision: 'r1', restartedAt: undefined, rollingOut: false },
    isKept: () => true,
    ...overrides,
  };
}
