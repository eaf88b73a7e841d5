/** `status` of a KlingApi. Nothing in it changes with every handshake: latencies and times of the last one are metrics. */
import { z } from 'zod';
import { atomicList, int, mapList, required, setList, text, time } from './bounds.ts';

const condition = z.object({
  type: required(316).describe('Kind of the condition'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds'),
  reason: required(1024).describe('Why, in one CamelCase word'),
  message: text(32768).describe('Why, in words'),
  observedGeneration: z.int().min(0).optional().describe('Generation of the spec that this speaks of'),
  lastTransitionTime: time().describe('When status last changed'),
});

export const evidenceSchema = z.object({
  observer: z.enum(['Probe', 'Operator']).describe('Who saw it'),
  message: text(1024).describe('What the handshake showed'),
  httpStatus: int(100, 599).optional().describe('Status of the HTTP reply'),
  excerpt: text(1024).optional().describe('Beginning of the reply, redacted'),
  failingSince: time().optional().describe('First failed handshake in a row'),
  consecutiveFailures: int(0, 1000000).optional().describe('Failed handshakes in a row'),
  log: text(1024).optional().describe('Log lines that match a known signature, redacted'),
});

const step = z.object({
  name: required(64).describe('What was done'),
  at: time().describe('When'),
  detail: text(1024).optional().describe('With what result'),
});

const check = z.object({
  name: z.enum(['ApiHealth', 'McpHandshake', 'ImageGeneration']).describe('Which check'),
  result: z
    .enum(['Passed', 'Failed', 'Inconclusive', 'Skipped'])
    .describe('Its result; Inconclusive when the cause lies upstream, Skipped when policy leaves it out'),
  reason: text(64).optional().describe('Why it did not pass, in one word, where that is known'),
  message: text(1024).describe('What was seen'),
  durationMs: int(0, 3600000).optional().describe('How long it took, in milliseconds'),
});

export const verificationSchema = z.object({
  summary: text(16).describe('Passed of counted checks, such as 3/3'),
  checks: mapList(check, ['name'], 8).describe('The checks'),
  at: time().describe('When they were done'),
  revision: text(64).optional().describe('Revision of the MCP workload they were done with'),
  upstream: text(2048).optional().describe('Upstream that the picture was asked of'),
});

export const repairSchema = z.object({
  id: required(64).describe('Name of the record'),
  startedAt: time().describe('When the record was written, before the action'),
  finishedAt: time().optional().describe('When the outcome was known'),
  pod: required(253).describe('Pod that was repaired'),
  podUid: required(64).describe('Its uid'),
  replacement: text(253).optional().describe('Pod that took its place'),
  diagnosis: required(64).describe('Why it failed, in one word'),
  evidence: evidenceSchema.describe('What showed it'),
  recurrence: z
    .object({
      times: int(1, 1000).describe('Repairs in a row that the fault came back after'),
      message: text(1024).describe('In words, with the last request before the failure where the log shows one'),
    })
    .optional()
    .describe('Set where the pod was made by a repair of the same fault and failed again within minHealthySeconds'),
  action: z.enum(['RestartPod', 'RolloutRestart', 'Rollback', 'KubeletRestart']).describe('What was done'),
  rolledBackTo: text(64).optional().describe('Revision that the MCP workload went back to'),
  trigger: z
    .enum(['Handshake', 'Request', 'Rollout', 'Liveness'])
    .describe(
      'What asked for it: failed handshakes, the annotation klingapi.dev/repair, the deadline of a rollout that did not get ready, or the liveness probe',
    ),
  attempt: int(1, 1000).describe('Which repair of its incident'),
  actor: required(253).describe('The operator process that acts on this record'),
  outcome: z.enum(['Recovered', 'Failed', 'NotNeeded']).optional().describe('How it ended'),
  unavailableSeconds: z
    .number()
    .min(0)
    .max(1e9)
    .optional()
    .describe('Time from the first failed handshake to Serving, for this pod'),
  verification: verificationSchema.optional().describe('The three checks afterwards'),
  servedBefore: int(0, 10000).describe('Pods that served when the repair began'),
  otherPods: setList(required(64), 128)
    .optional()
    .describe('Uids of the other pods when the repair began; kept until it ends'),
  servedAfter: int(0, 10000).optional().describe('Pods that served when it ended'),
  steps: atomicList(step, 32).describe('What was done, in order'),
});

const podStatus = z.object({
  name: required(253).describe('Name of the pod'),
  verdict: z
    .enum(['Serving', 'AuthRequired', 'Failing', 'Unreachable', 'Unknown'])
    .describe('What its handshake shows'),
  diagnosis: text(64).optional().describe('Why it is not Serving, in one word'),
  message: text(1024).optional().describe('What shows that, in words'),
  restarts: int(0, 1000000).optional().describe('Restarts of its container by the kubelet that are accounted for'),
  since: time().describe('Since when'),
});

const rejectedRevision = z.object({
  revision: required(64).describe('The revision'),
  generation: z.int().min(0).describe('Generation of the spec that asked for it; a newer one may try it again'),
  at: time().describe('When it was rejected'),
  reason: required(64).describe('Why, in one word'),
  message: text(1024).describe('Why, in words'),
});

const remediation = z.object({
  incident: time().optional().describe('Begin of the incident that is under way'),
  attempt: int(0, 1000).optional().describe('Repairs in this incident'),
  rung: z
    .enum(['RestartPod', 'RolloutRestart', 'Rollback'])
    .optional()
    .describe('Rung of the ladder that the next repair of this incident uses'),
  failedAttempts: int(0, 1000)
    .optional()
    .describe('Repairs on this rung after which a pod that they made failed again before minHealthySeconds'),
  servingSince: time().optional().describe('Since when all pods serve again, while the incident is not over yet'),
  failingSince: mapList(
    z.object({ pod: required(253).describe('Name of the pod'), at: time().describe('Since when') }),
    ['pod'],
    128,
  )
    .optional()
    .describe('First failed handshake of pods whose own probe does not answer, as seen by the operator'),
  nextAllowedAt: time().optional().describe('Earliest time of the next repair'),
  recent: atomicList(time(), 64).optional().describe('Repairs within the budget window'),
  exhaustedSince: time().optional().describe('Since when no more repairs are made'),
  exhaustedReason: z
    .enum(['BudgetSpent', 'LadderSpent'])
    .optional()
    .describe('Why: the budget of the window is spent, or the last rung of the ladder did not help'),
  exhaustedGeneration: z.int().min(0).optional().describe('Generation at that time; a newer one clears it'),
  handledRequest: text(256).optional().describe('Last value of the annotation klingapi.dev/repair that was acted on'),
});

const exposure = z.object({
  url: text(2048).describe('The MCP endpoint that was asked'),
  result: z
    .enum(['Passed', 'Failed', 'Inconclusive'])
    .describe('Its result; Inconclusive where the operator does not get there, which others may'),
  reason: required(64).describe('Why, in one word'),
  message: text(4096).describe('Why, in words'),
  since: time().describe('When this was first seen; it is asked again after each verification'),
});

export const statusSchema = z.object({
  observedGeneration: z
    .int()
    .min(-1)
    .optional()
    .describe('Generation of the spec that this status speaks of; -1 before the operator has seen the resource'),
  conditions: mapList(condition, ['type'], 32).optional().describe('Conditions by the Kubernetes conventions'),
  endpoints: z
    .object({
      mcp: text(2048).optional().describe('URL of the MCP endpoint'),
      api: text(2048).optional().describe('URL of the API'),
      docs: text(2048).optional().describe("URL of the API's reference page"),
    })
    .optional()
    .describe('Where the services are reached'),
  mcp: z
    .object({
      serverInfo: z
        .object({ name: text(256).describe('Name'), version: text(128).describe('Version') })
        .optional()
        .describe('What the server says of itself'),
      protocolVersions: setList(text(64), 16).optional().describe('Protocol versions it was seen to speak'),
      pods: mapList(podStatus, ['name'], 128).optional().describe('The MCP pods'),
      serving: text(16).optional().describe('Pods that serve of pods wanted, such as 2/2'),
    })
    .optional()
    .describe('The MCP workload'),
  verification: verificationSchema.optional().describe('The newest verification'),
  exposure: exposure
    .optional()
    .describe(
      'The newest handshake through the public URL, where there is one; nothing is repaired because of it, and Ready does not depend on it',
    ),
  revisions: z
    .object({
      current: text(64).optional().describe('Revision of the MCP workload that is applied'),
      verified: text(64).optional().describe('Newest revision that passed its verification'),
      since: time().optional().describe('Since when the current revision is applied'),
      servedAt: time().optional().describe('When all pods of the current revision first passed their handshake'),
      restartedAt: time().optional().describe('Newest restart of all MCP pods by a repair'),
      rejected: mapList(rejectedRevision, ['revision'], 10)
        .optional()
        .describe('Revisions that did not serve; none of them is applied again before the spec changes'),
    })
    .optional()
    .describe('Pod templates of the MCP workload'),
  imageChecks: atomicList(time(), 1001).optional().describe('Pictures made by verification within 24 hours'),
  remediation: remediation.optional().describe('State of the repairs'),
  repairsTotal: z.int().min(0).optional().describe('Repairs ever made'),
  repairs: mapList(repairSchema, ['id'], 10).optional().describe('The newest 10 repairs, newest first'),
});

export type KlingApiStatus = z.output<typeof statusSchema>;
export type Condition = z.output<typeof condition>;
export type RepairRecord = z.output<typeof repairSchema>;
export type RepairEvidence = z.output<typeof evidenceSchema>;
export type Verification = z.output<typeof verificationSchema>;
export type Exposure = z.output<typeof exposure>;
export type Check = z.output<typeof check>;
export type PodStatus = z.output<typeof podStatus>;
export type Revisions = NonNullable<KlingApiStatus['revisions']>;
export type RejectedRevision = z.output<typeof rejectedRevision>;
export type RemediationStatus = z.output<typeof remediation>;
