/** What `status` tells: the same for people and for programs. */
import type { Condition, PodStatus, RepairRecord } from '../../resource/status.ts';
import type { Listed } from '../cluster/klingapis.ts';

type Part = Pick<Condition, 'status' | 'reason' | 'message'>;

export interface StatusSummary {
  namespace: string;
  name: string;
  createdAt: string | undefined;
  ready: Part;
  mcp: {
    url: string | undefined;
    serving: string | undefined;
    server: { name: string; version: string } | undefined;
    protocolVersions: readonly string[];
  };
  api: Part & { url: string | undefined };
  upstream: Part & { provider: string };
  verification: { summary: string; at: string } | undefined;
  repairs: {
    total: number;
    last: Pick<RepairRecord, 'id' | 'startedAt' | 'pod' | 'diagnosis' | 'action' | 'outcome'> | undefined;
  };
  mode: string;
  paused: boolean;
  pods: readonly PodStatus[];
  /** `worth`: it says that something is not as it should be. */
  conditions: readonly (Part & { type: string; worth: boolean })[];
}

const NOT_SEEN: Part = {
  status: 'Unknown',
  reason: 'NotSeen',
  message: 'no operator has written a status yet',
};

/** Those that are there only when something is the matter, or told elsewhere on the page. */
const ABNORMAL = new Set([
  'Degraded',
  'RemediationExhausted',
  'OptionalKindsMissing',
  'CrdOutdated',
  'StormActive',
  'Stalled',
  'Reconciling',
]);
/** Unknown is no news of it: the operator cannot get everywhere that clients do. */
const SHOULD_NOT_FAIL = new Set(['Exposed']);
const EXPECTED = new Set(['Ready', 'Accepted', 'ApiAvailable', 'McpAvailable', 'ProtocolVerified']);

export function summaryOf({ metadata, spec, status = {} }: Listed): StatusSummary {
  const conditions = status.conditions ?? [];
  const part = (type: string): Part => {
    const found = conditions.find((entry) => entry.type === type);
    return found === undefined ? NOT_SEEN : { status: found.status, reason: found.reason, message: found.message };
  };
  const last = status.repairs?.[0];
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    createdAt: metadata.creationTimestamp,
    ready: part('Ready'),
    mcp: {
      url: status.endpoints?.mcp,
      serving: status.mcp?.serving,
      server: status.mcp?.serverInfo,
      protocolVersions: status.mcp?.protocolVersions ?? [],
    },
    api: { ...part('ApiAvailable'), url: status.endpoints?.api },
    upstream: { ...part('UpstreamReachable'), provider: spec.upstream.provider },
    verification:
      status.verification === undefined
        ? undefined
        : { summary: status.verification.summary, at: status.verification.at },
    repairs: {
      total: status.repairsTotal ?? 0,
      last:
        last === undefined
          ? undefined
          : {
              ...{ id: last.id, startedAt: last.startedAt, pod: last.pod, diagnosis: last.diagnosis },
              ...{ action: last.action, outcome: last.outcome },
            },
    },
    mode: spec.remediation.mode,
    paused: spec.paused,
    pods: status.mcp?.pods ?? [],
    conditions: conditions.map(({ type, status: state, reason, message }) => ({
      ...{ type, status: state, reason, message },
      worth:
        ABNORMAL.has(type) ||
        (EXPECTED.has(type) && state !== 'True') ||
        (SHOULD_NOT_FAIL.has(type) && state === 'False'),
    })),
  };
}
