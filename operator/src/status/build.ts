/** The whole status from one look. */

import { upstreamUrl } from '../children/api-pod.ts';
import type { Missing } from '../observe/missing.ts';
import type { WorkloadState } from '../observe/workloads.ts';
import type { Acts, Plan } from '../plan.ts';
import { serves } from '../remediation/assess.ts';
import { restartsSeen } from '../remediation/kubelet-restart.ts';
import type { PodObservation } from '../remediation/observation.ts';
import { publicUrl } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { API_PORT, childNames, serviceHost } from '../resource/names.ts';
import type { Exposure, KlingApiStatus, PodStatus, Verification } from '../resource/status.ts';
import type { Choice } from '../rollout/choose.ts';
import { nextRevisions } from '../rollout/revisions.ts';
import { recentImages } from '../verification/policy.ts';
import { conditions, type Finding } from './conditions.ts';

export interface StatusInput {
  klingApi: KlingApi;
  plan: Plan;
  acts: Acts;
  verification: Verification | undefined;
  /** The newest handshake through the public URL. */
  exposure: Exposure | undefined;
  /** Revision of the live MCP workload. */
  revision: string;
  /** Stamp of its newest restart by a repair. */
  restartedAt: string | undefined;
  /** Which template it was applied with, and why not the spec's. */
  rollout: Choice;
  workloads: WorkloadState;
  /** What to say of the API where no pod of it is ready. */
  apiTrouble: Finding;
  stalled: Finding | null;
  retrying: Finding | null;
  missing: Missing;
  /** Kinds that the resource asks for and the cluster does not have. */
  optionalKinds: Finding | null;
  /** A definition in the cluster that is older than this operator. */
  definition: Finding | null;
  observations: PodObservation[];
}

/** A server may claim anything; versions of the protocol are dates, and their names are short. */
const isVersion = (text: string): boolean => /^[\x21-\x7e]{1,64}$/.test(text);

const some = <T>(value: T[]): T[] | undefined => (value.length === 0 ? undefined : value);

function podStatuses(plan: Plan, observations: PodObservation[], previous: PodStatus[], now: number): PodStatus[] {
  return plan.pods
    .filter((pod) => !pod.ending)
    .sort((a, b) => (a.pod < b.pod ? -1 : 1))
    .slice(0, 128)
    .map((pod) => {
      const before = previous.find((entry) => entry.name === pod.pod);
      const observed = observations.find(({ uid }) => uid === pod.uid);
      const restarts = observed === undefined ? 0 : restartsSeen(observed, pod, before?.restarts ?? 0);
      const same = before?.verdict === pod.verdict && before.diagnosis === (pod.diagnosis ?? undefined);
      return {
        name: pod.pod,
        verdict: pod.verdict,
        ...(pod.diagnosis === null ? {} : { diagnosis: pod.diagnosis, message: pod.message.slice(0, 1024) }),
        ...(restarts === 0 ? {} : { restarts: Math.min(restarts, 1_000_000) }),
        since: same ? before.since : new Date(pod.failingSince ?? now).toISOString(),
      };
    });
}

export function buildStatus(input: StatusInput, now: number): KlingApiStatus {
  const {
    klingApi,
    plan,
    acts,
    verification,
    revision,
    workloads,
    stalled,
    retrying,
    missing,
    optionalKinds,
    definition,
  } = input;
  const { name, namespace, generation } = klingApi.metadata;
  const previous = klingApi.status ?? {};
  const names = childNames(name);
  const outside = publicUrl(klingApi.spec);
  const api = outside ?? `http://${serviceHost(names.api, namespace)}:${API_PORT}`;
  const mcp = outside ?? `http://${serviceHost(names.mcp, namespace)}:${klingApi.spec.mcp.port}`;

  const servers = input.observations
    .map((pod) => (pod.own.last ?? pod.probe)?.server ?? pod.probe?.server ?? null)
    .filter((server) => server !== null);
  const server = servers[0];
  const versions =
    some([...new Set(servers.flatMap((entry) => entry.protocolVersions))].sort().filter(isVersion).slice(-16)) ??
    previous.mcp?.protocolVersions;
  const serverInfo =
    server === undefined
      ? previous.mcp?.serverInfo
      : { name: server.name.slice(0, 256), version: server.version.slice(0, 128) };

  const fresh = verification !== undefined && verification.at !== previous.verification?.at;
  const madePicture =
    fresh && verification.checks.some((check) => check.name === 'ImageGeneration' && check.result !== 'Skipped');
  const images = [...recentImages(previous, now), ...(madePicture ? [verification.at] : [])].slice(-1001);
  const pods = podStatuses(plan, input.observations, previous.mcp?.pods ?? [], now);
  const { repairs, state } = acts;

  return {
    observedGeneration: generation,
    conditions: conditions(
      previous.conditions ?? [],
      {
        generation,
        stalled,
        retrying,
        missing,
        optionalKinds,
        definition,
        paused: klingApi.spec.paused,
        api: { ...workloads.api, trouble: input.apiTrouble },
        mcp: { ...workloads.mcp, pods: plan.pods },
        verification,
        currentRevision: revision,
        exposure: outside === undefined ? null : input.exposure,
        upstream: upstreamUrl(klingApi),
        decision: acts.decision,
        judgement: plan.judgement,
        rollout: input.rollout,
        repairing: repairs.find((record) => record.outcome === undefined)?.pod,
        remediation: state,
      },
      now,
    ),
    endpoints: {
      mcp: `${mcp}${klingApi.spec.mcp.path}`,
      api,
      docs: `${api}/docs`,
    },
    mcp: {
      ...(serverInfo === undefined ? {} : { serverInfo }),
      ...(versions === undefined ? {} : { protocolVersions: versions }),
      ...(pods.length === 0 ? {} : { pods }),
      serving: `${plan.pods.filter(serves).length}/${workloads.mcp.wanted}`,
    },
    ...(verification === undefined ? {} : { verification }),
    ...(input.exposure === undefined ? {} : { exposure: input.exposure }),
    revisions: nextRevisions(
      {
        previous: previous.revisions ?? {},
        current: revision,
        generation,
        complete: !workloads.mcp.rollingOut && plan.pods.length > 0 && plan.pods.every((pod) => serves(pod)),
        verification,
        restartedAt: acts.restartedAt,
        rejected: acts.rejected,
        withdrawn: plan.withdrawn,
        liveRestartedAt: input.restartedAt,
      },
      now,
    ),
    ...(images.length === 0 ? {} : { imageChecks: images }),
    ...(Object.keys(state).length === 0 ? {} : { remediation: state }),
    repairsTotal: acts.repairsTotal,
    ...(repairs.length === 0 ? {} : { repairs }),
  };
}
