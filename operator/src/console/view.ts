/** What the page is told: short for each KlingApi of the fleet, whole for the one that is looked at. */
import type { KlingApi } from '../resource/klingapi.ts';
import type { Condition, KlingApiStatus, RepairRecord, Verification } from '../resource/status.ts';
import type { Lane } from './history.ts';
import { type Standing, standingOf } from './standing.ts';

/** The process that is asked. */
export interface OperatorView {
  pod: string;
  namespace: string;
  /** Whether it acts; only then it makes handshakes. */
  leading: boolean;
  /** Pod of the one that acts, where that is another; null where nobody is known. */
  leader: string | null;
  /** Since when it remembers handshakes. */
  startedAt: string;
}

export interface Strip extends Lane {
  /** Whether the pod is there now. */
  present: boolean;
}

export interface Summary {
  uid: string;
  namespace: string;
  name: string;
  standing: Standing;
  /** Pods that serve of pods wanted, such as 2/2. */
  serving: string | null;
  /** Passed of counted checks, such as 3/3. */
  verified: string | null;
  repairsTotal: number;
  strips: Strip[];
  /** Pods that are there and have no strip here. */
  more: number;
}

export interface Detail extends Summary {
  mode: KlingApi['spec']['remediation']['mode'];
  budget: KlingApi['spec']['remediation']['budget'];
  endpoints: NonNullable<KlingApiStatus['endpoints']>;
  server: { name: string; version: string } | null;
  pods: NonNullable<NonNullable<KlingApiStatus['mcp']>['pods']>;
  conditions: Condition[];
  verification: Verification | null;
  remediation: NonNullable<KlingApiStatus['remediation']>;
  repairs: RepairRecord[];
}

const STRIPS = 4;
const STRIP_MARKS = 30;
/** Lanes of one timeline; with more replicas those that fail go first. */
const LANES = 40;

export function summaryOf(klingApi: KlingApi, lanes: readonly Lane[]): Summary {
  const strips = stripsOf(klingApi, lanes);
  const shown = strips.filter(({ present }) => present);
  return {
    ...namesOf(klingApi),
    strips: shown.slice(0, STRIPS).map((strip) => ({ ...strip, marks: strip.marks.slice(-STRIP_MARKS) })),
    more: Math.max(0, shown.length - STRIPS),
  };
}

export function detailOf(klingApi: KlingApi, lanes: readonly Lane[]): Detail {
  const { spec, status = {} } = klingApi;
  const strips = stripsOf(klingApi, lanes);
  return {
    ...namesOf(klingApi),
    strips: strips.slice(0, LANES),
    more: Math.max(0, strips.length - LANES),
    mode: spec.remediation.mode,
    budget: spec.remediation.budget,
    endpoints: status.endpoints ?? {},
    server: status.mcp?.serverInfo ?? null,
    pods: status.mcp?.pods ?? [],
    conditions: status.conditions ?? [],
    verification: status.verification ?? null,
    remediation: status.remediation ?? {},
    repairs: status.repairs ?? [],
  };
}

function namesOf(klingApi: KlingApi): Omit<Summary, 'strips' | 'more'> {
  const { metadata, status } = klingApi;
  return {
    uid: metadata.uid,
    namespace: metadata.namespace,
    name: metadata.name,
    standing: standingOf(klingApi),
    serving: status?.mcp?.serving ?? null,
    verified: status?.verification?.summary ?? null,
    repairsTotal: status?.repairsTotal ?? 0,
  };
}

/** Pods that are there, those that fail first, then those that are gone, the newest first. */
function stripsOf({ status }: KlingApi, lanes: readonly Lane[]): Strip[] {
  const pods = status?.mcp?.pods ?? [];
  const serves = (verdict: string): boolean => verdict === 'Serving' || verdict === 'AuthRequired';
  const there = pods
    .toSorted((a, b) => Number(serves(a.verdict)) - Number(serves(b.verdict)) || (a.name < b.name ? -1 : 1))
    .map(({ name }): Strip => {
      const lane = lanes.findLast(({ pod }) => pod === name);
      return { pod: name, uid: lane?.uid ?? '', marks: lane?.marks ?? [], present: true };
    });
  const known = new Set(pods.map(({ name }) => name));
  const gone = lanes.filter(({ pod }) => !known.has(pod)).map((lane): Strip => ({ ...lane, present: false }));
  return [...there, ...gone.reverse()];
}
