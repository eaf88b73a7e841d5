import type { Missing } from '../observe/missing.ts';
import { type Assessment, serves } from '../remediation/assess.ts';
import type { Decision } from '../remediation/decide.ts';
import { isLasting } from '../remediation/diagnoses.ts';
import type { Condition, Exposure, RemediationStatus, Verification } from '../resource/status.ts';
import type { Choice } from '../rollout/choose.ts';
import type { Judgement } from '../rollout/judge.ts';

export interface Finding {
  reason: string;
  message: string;
}

export interface ConditionInput {
  generation: number;
  /** Why children cannot be kept, or null. */
  stalled: Finding | null;
  /** Why they could not be kept this time, or null. */
  retrying: Finding | null;
  /** Secrets and ConfigMaps that pods wait for. */
  missing: Missing;
  /** Kinds that the resource asks for and the cluster does not have, or null. */
  optionalKinds: Finding | null;
  /** A definition in the cluster that is older than this operator, or null. */
  definition: Finding | null;
  paused: boolean;
  /** `trouble`: what to say where none is ready. */
  api: { ready: number; wanted: number; trouble: Finding };
  /** `refused`: why the API server takes no more pods, or null. */
  mcp: { pods: Assessment[]; wanted: number; rollingOut: boolean; refused: Finding | null };
  /** The newest verification, of `revision`. */
  verification: Verification | undefined;
  currentRevision: string;
  /** What the public URL shows: null without one, undefined before the first handshake. */
  exposure: Exposure | null | undefined;
  /** Where the API sends its requests now. */
  upstream: string;
  decision: Decision;
  /** Whether the applied revision is on trial, and what came of it. */
  judgement: Judgement;
  /** Which template is applied. */
  rollout: Choice;
  repairing: string | undefined;
  remediation: RemediationStatus;
}

const TYPES = [
  'Ready',
  'Accepted',
  'ApiAvailable',
  'McpAvailable',
  'ProtocolVerified',
  'UpstreamReachable',
  'Exposed',
  'Degraded',
  'RemediationExhausted',
  'OptionalKindsMissing',
  'CrdOutdated',
  'StormActive',
  'Stalled',
  'Reconciling',
  'Paused',
] as const;
/** Every type that is written here; whatever else stands in a status belongs to somebody else. */
export const OWN_TYPES: ReadonlySet<string> = new Set(TYPES);

type Verdict3 = 'True' | 'False' | 'Unknown';
type Draft = { type: string; status: Verdict3 } & Finding;

const draft = (type: (typeof TYPES)[number], status: Verdict3, reason: string, message: string): Draft => ({
  type,
  status,
  reason,
  message,
});

function accepted({ stalled }: ConditionInput): Draft {
  return stalled === null
    ? draft('Accepted', 'True', 'Accepted', 'the resource is valid and its children are ours')
    : draft('Accepted', 'False', stalled.reason, stalled.message);
}

function apiAvailable({ api, missing }: ConditionInput): Draft {
  const message = `${api.ready} of ${api.wanted} API pods are ready`;
  if (api.ready >= 1) return draft('ApiAvailable', 'True', 'PodsReady', message);
  if (api.wanted === 0) return draft('ApiAvailable', 'False', 'NoPodWanted', message);
  const { reason, message: why } = missing.api ?? api.trouble;
  return draft('ApiAvailable', 'False', reason, `${message}; ${why}`);
}

function mcpAvailable({ mcp, missing }: ConditionInput): Draft {
  const serving = mcp.pods.filter(serves).length;
  const message = `${serving} of ${mcp.wanted} MCP pods serve`;
  if (serving >= 1) return draft('McpAvailable', 'True', 'PodsServing', message);
  if (missing.mcp !== null)
    return draft('McpAvailable', 'False', missing.mcp.reason, `${message}; ${missing.mcp.message}`);
  if (mcp.refused !== null)
    return draft('McpAvailable', 'False', mcp.refused.reason, `${message}; ${mcp.refused.message}`);
  const alive = mcp.pods.filter((pod) => !pod.ending && pod.diagnosis !== null);
  const worst = alive.find((pod) => pod.diagnosis !== null && isLasting(pod.diagnosis)) ?? alive[0];
  // clients are sent to what the kubelet finds ready, whether or not the operator gets there
  const perhaps = alive.some((pod) => pod.verdict === 'Unknown' && pod.readySince !== null);
  return draft(
    'McpAvailable',
    perhaps ? 'Unknown' : 'False',
    worst?.diagnosis ?? 'NoPod',
    worst === undefined ? message : `${message}; ${worst.pod}: ${worst.message}`,
  );
}

/** Depends on the handshake alone, never on the picture. */
function protocolVerified({ mcp, verification, currentRevision }: ConditionInput): Draft {
  const alive = mcp.pods.filter((pod) => !pod.ending && !pod.starting);
  const failing = alive.filter((pod) => !serves(pod));
  if (alive.length > 0 && failing.length === alive.length) {
    const first = failing[0];
    return draft(
      'ProtocolVerified',
      failing.every((pod) => pod.verdict === 'Unknown') ? 'Unknown' : 'False',
      first?.diagnosis ?? 'HandshakeFailing',
      `no MCP pod passes its handshake; ${first?.pod}: ${first?.message}`,
    );
  }
  if (alive.length > 0 && alive.every((pod) => pod.verdict === 'AuthRequired')) {
    const wrong = alive.find((pod) => pod.diagnosis === 'KeyInvalid');
    return wrong === undefined
      ? draft(
          'ProtocolVerified',
          'Unknown',
          'AuthRequired',
          'the server asks for credentials: give them through spec.mcp.handshake.headersSecretRef',
        )
      : draft('ProtocolVerified', 'Unknown', 'KeyInvalid', `${wrong.pod}: ${wrong.message}`);
  }
  const check = verification?.checks.find((entry) => entry.name === 'McpHandshake');
  if (verification === undefined || check === undefined || verification.revision !== currentRevision) {
    return draft(
      'ProtocolVerified',
      'Unknown',
      'NotVerifiedYet',
      'the verification of this revision has not been done yet',
    );
  }
  if (check.result === 'Passed') return draft('ProtocolVerified', 'True', 'HandshakePassed', check.message);
  if (check.result === 'Failed')
    return draft('ProtocolVerified', 'False', check.reason ?? 'HandshakeFailed', check.message);
  return draft('ProtocolVerified', 'Unknown', check.reason ?? check.result, check.message);
}

function upstreamReachable({ verification, upstream }: ConditionInput): Draft {
  const check = verification?.checks.find((entry) => entry.name === 'ImageGeneration');
  const other = verification?.upstream !== undefined && verification.upstream !== upstream;
  if (check === undefined || other)
    return draft('UpstreamReachable', 'Unknown', 'NotVerifiedYet', 'no picture was asked of this upstream yet');
  if (check.result === 'Passed') return draft('UpstreamReachable', 'True', 'PictureMade', check.message);
  if (check.result === 'Skipped') return draft('UpstreamReachable', 'Unknown', 'Skipped', check.message);
  // an inconclusive check without a reason was written by an earlier version
  const reason = check.reason ?? (check.result === 'Inconclusive' ? 'UpstreamRefused' : 'PictureFailed');
  return draft('UpstreamReachable', reason.startsWith('Upstream') ? 'False' : 'Unknown', reason, check.message);
}

/** Tells of what lies between clients and the Services; Ready speaks of these alone. */
function exposed({ exposure }: ConditionInput): Draft[] {
  if (exposure === null) return [];
  if (exposure === undefined)
    return [draft('Exposed', 'Unknown', 'NotVerifiedYet', 'no handshake was done through the public URL yet')];
  const status = { Passed: 'True', Failed: 'False', Inconclusive: 'Unknown' } as const;
  return [draft('Exposed', status[exposure.result], exposure.reason, exposure.message)];
}

/** Whoever has the right credentials is served. */
const FOR_OTHERS: ReadonlySet<string> = new Set(['AuthRequired', 'KeyInvalid']);

function ready(parts: Draft[], input: ConditionInput): Draft {
  const needed = parts.filter((part) => part.type !== 'UpstreamReachable');
  const blocking =
    needed.find((part) => part.status === 'False') ??
    needed.find((part) => part.status === 'Unknown' && !FOR_OTHERS.has(part.reason));
  if (blocking !== undefined)
    return draft(
      'Ready',
      blocking.status === 'False' ? 'False' : 'Unknown',
      blocking.reason,
      `${blocking.type}: ${blocking.message}`,
    );
  const serving = input.mcp.pods.filter(serves).length;
  if (serving < input.mcp.wanted && input.mcp.rollingOut)
    return draft('Ready', 'False', 'RollingOut', `${serving} of ${input.mcp.wanted} MCP pods serve`);
  return draft(
    'Ready',
    'True',
    'Ready',
    `${serving} of ${input.mcp.wanted} MCP pods serve, ${input.api.ready} API pods are ready`,
  );
}

const EXHAUSTED = {
  BudgetSpent: 'repairs did not help and the budget is spent',
  LadderSpent: 'the last rung of the ladder did not help either',
} as const;

const isExhausted = ({ remediation, decision }: ConditionInput): boolean =>
  remediation.exhaustedSince !== undefined || decision.kind === 'Exhausted';

/** What somebody has to act on: nothing more happens by itself, so whoever waits for Ready need not go on. */
function stuck(input: ConditionInput): Finding | null {
  const { rollout, judgement, mcp } = input;
  if (rollout.kind === 'RolledBack') return { reason: 'RolledBack', message: rollout.message };
  if (judgement.kind === 'Overdue') return { reason: 'RolloutOverdue', message: judgement.message };
  return isExhausted(input) && !mcp.pods.some(serves)
    ? { reason: 'RemediationExhausted', message: 'no MCP pod serves, and the repairs have ended' }
    : null;
}

function abnormal(input: ConditionInput): Draft[] {
  const { decision, remediation, stalled, mcp } = input;
  const out: Draft[] = [];
  // what keeps a pod from starting is worth a word from the first moment on, its start is not
  const failing = mcp.pods.filter(
    (pod) => !serves(pod) && !pod.ending && pod.diagnosis !== null && (isLasting(pod.diagnosis) || !pod.starting),
  );
  const lame = mcp.pods.find((pod) => serves(pod) && (pod.diagnosis === 'Slow' || pod.diagnosis === 'KeyInvalid'));
  if (failing.length > 0) {
    const hold = decision.kind === 'Nothing' || decision.kind === 'Repair' ? null : decision;
    const first = failing[0];
    out.push(
      draft(
        'Degraded',
        'True',
        hold?.reason ?? first?.diagnosis ?? 'HandshakeFailing',
        `${first?.pod}: ${first?.diagnosis}: ${first?.message}`,
      ),
    );
  } else if (mcp.refused !== null) {
    out.push(draft('Degraded', 'True', mcp.refused.reason, mcp.refused.message));
  } else if (lame?.diagnosis != null) {
    out.push(draft('Degraded', 'True', lame.diagnosis, `${lame.pod}: ${lame.message}`));
  }
  if (isExhausted(input)) {
    const cause = decision.kind === 'Exhausted' ? decision.cause : (remediation.exhaustedReason ?? 'BudgetSpent');
    out.push(
      draft(
        'RemediationExhausted',
        'True',
        cause,
        `${EXHAUSTED[cause]}: look at status.repairs, then change the spec or give the annotation klingapi.dev/repair a new value`,
      ),
    );
  }
  const missing = input.missing.api ?? input.missing.mcp;
  if (decision.kind === 'Hold' && decision.reason === 'StormActive')
    out.push(draft('StormActive', 'True', 'StormActive', decision.message));
  const stands = stalled ?? stuck(input);
  if (stands !== null) out.push(draft('Stalled', 'True', stands.reason, stands.message));
  // a pod that still runs on what it once read does not survive its next start
  else if (missing !== null) out.push(draft('Reconciling', 'True', missing.reason, missing.message));
  else if (input.repairing !== undefined)
    out.push(draft('Reconciling', 'True', 'Repairing', `pod ${input.repairing} is being repaired`));
  else if (input.retrying !== null)
    out.push(draft('Reconciling', 'True', input.retrying.reason, input.retrying.message));
  else if (input.judgement.kind === 'OnTrial')
    out.push(draft('Reconciling', 'True', 'OnTrial', input.judgement.message));
  else if (mcp.rollingOut) out.push(draft('Reconciling', 'True', 'RollingOut', 'the MCP workload is rolling out'));
  else if (input.rollout.kind === 'Queued')
    out.push(draft('Reconciling', 'True', 'RolloutQueued', 'a change that came with the operator waits for its turn'));
  else if (input.api.ready < input.api.wanted)
    out.push(draft('Reconciling', 'True', 'ApiStarting', 'the API workload is starting'));
  if (input.optionalKinds !== null)
    out.push(draft('OptionalKindsMissing', 'True', input.optionalKinds.reason, input.optionalKinds.message));
  if (input.definition !== null)
    out.push(draft('CrdOutdated', 'True', input.definition.reason, input.definition.message));
  if (input.paused)
    out.push(
      draft('Paused', 'True', 'Paused', 'spec.paused is true: nothing is written to children and nothing is repaired'),
    );
  return out;
}

/** @returns our conditions; an apply leaves those of others beside them */
export function conditions(previous: Condition[], input: ConditionInput, now: number): Condition[] {
  const parts = [
    accepted(input),
    apiAvailable(input),
    mcpAvailable(input),
    protocolVerified(input),
    upstreamReachable(input),
  ];
  return [ready(parts, input), ...parts, ...exposed(input), ...abnormal(input)].map((part) => {
    const before = previous.find((entry) => entry.type === part.type);
    return {
      ...part,
      message: part.message.slice(0, 4096),
      observedGeneration: input.generation,
      lastTransitionTime: before?.status === part.status ? before.lastTransitionTime : new Date(now).toISOString(),
    };
  });
}
