/** Metrics of what this project exists for; those of the machinery are in `kube/metrics.ts`. */
import { verdictSchema } from '@klingapi/probe';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { diagnosesOf, newKubeletRestarts } from './diagnosed.ts';
import { createDowntime } from './downtime.ts';
import type { WorkloadState } from './observe/workloads.ts';
import type { Plan } from './plan.ts';
import { serves } from './remediation/assess.ts';
import type { KlingApi } from './resource/klingapi.ts';
import type { Check, KlingApiStatus } from './resource/status.ts';

export interface OperatorMetrics {
  handshake(namespace: string, name: string, verdict: string): void;
  /** Fields and values that the definition in the cluster lacks. */
  definition(missing: number): void;
  observe(klingApi: KlingApi, status: KlingApiStatus, plan: Plan, workloads: Workloads): void;
  /** Nobody looks after it any more: what was measured of it ends, and it needs a person. */
  unreadable(namespace: string, name: string): void;
  /** Ends the series of a KlingApi that is gone. */
  forget(namespace: string, name: string): void;
}

const EXPOSED = { Passed: 1, Failed: 0, Inconclusive: -1 } as const;

type Workloads = Record<'api' | 'mcp', Pick<WorkloadState['api'], 'ready' | 'wanted'>>;

interface RepairLabels {
  namespace: string;
  klingapi: string;
  diagnosis: string;
  outcome: string;
}

const CHECKS: readonly Check['name'][] = ['ApiHealth', 'McpHandshake', 'ImageGeneration'];
const CHECKED = { Passed: 1, Failed: 0, Inconclusive: -1 } as const;
/** Conditions of what cannot be read. */
const UNREADABLE = [
  ['Accepted', 0],
  ['Ready', 0],
  ['Stalled', 1],
] as const;

/** @param now milliseconds that never jump */
export function createOperatorMetrics(registry: Registry, now: () => number): OperatorMetrics {
  const labels = ['namespace', 'klingapi'] as const;
  const registers = [registry];
  const handshakes = new Counter({
    name: 'klingoperator_handshakes_total',
    help: "The operator's own handshakes with MCP pods, by verdict",
    labelNames: [...labels, 'verdict'],
    registers,
  });
  const repairs = new Counter({
    name: 'klingoperator_repairs_total',
    help: 'Repairs that ended, by diagnosis and outcome',
    labelNames: [...labels, 'diagnosis', 'outcome'],
    registers,
  });
  const repairSeconds = new Histogram({
    name: 'klingoperator_repair_seconds',
    help: "Time from a pod's first failed handshake to its replacement's first good one, in seconds",
    labelNames: ['namespace'],
    buckets: [5, 10, 15, 20, 30, 45, 60, 120, 300, 600],
    registers,
  });
  const created = new Gauge({
    name: 'klingoperator_created_timestamp_seconds',
    help: 'When the KlingApi was made, in seconds since 1970',
    labelNames: labels,
    registers,
  });
  const serving = new Gauge({
    name: 'klingoperator_mcp_pods_serving',
    help: 'MCP pods that serve',
    labelNames: labels,
    registers,
  });
  const existing = new Gauge({
    name: 'klingoperator_mcp_pods',
    help: 'MCP pods that exist and are not ending',
    labelNames: labels,
    registers,
  });
  const wanted = new Gauge({
    name: 'klingoperator_mcp_pods_wanted',
    help: 'MCP pods that there should be',
    labelNames: labels,
    registers,
  });
  const apiReady = new Gauge({
    name: 'klingoperator_api_pods_ready',
    help: 'API pods that are ready',
    labelNames: labels,
    registers,
  });
  const apiWanted = new Gauge({
    name: 'klingoperator_api_pods_wanted',
    help: 'API pods that there should be',
    labelNames: labels,
    registers,
  });
  const recent = new Gauge({
    name: 'klingoperator_repairs_recent',
    help: 'Repairs that count against the budget now, those of its window',
    labelNames: labels,
    registers,
  });
  const allowed = new Gauge({
    name: 'klingoperator_repairs_allowed',
    help: 'Repairs that the budget allows within its window',
    labelNames: labels,
    registers,
  });
  const check = new Gauge({
    name: 'klingoperator_verification_check',
    help: 'Checks of the newest verification: 1 passed, 0 failed, -1 inconclusive; absent where it was skipped',
    labelNames: [...labels, 'check'],
    registers,
  });
  const downtime = createDowntime(registry, now);
  const condition = new Gauge({
    name: 'klingoperator_condition',
    help: 'Conditions of a KlingApi: 1 True, 0 False, -1 Unknown',
    labelNames: [...labels, 'type'],
    registers,
  });
  const exhausted = new Gauge({
    name: 'klingoperator_remediation_exhausted',
    help: '1 while the repair budget of a KlingApi is spent',
    labelNames: labels,
    registers,
  });
  const diagnosis = new Gauge({
    name: 'klingoperator_diagnosis',
    help: 'What is wrong with a KlingApi: MCP pods with that diagnosis, or 1 for what no pod says',
    labelNames: [...labels, 'diagnosis'],
    registers,
  });
  const exposed = new Gauge({
    name: 'klingoperator_exposed',
    help: 'Newest handshake through the public URL of a KlingApi: 1 passed, 0 failed, -1 inconclusive; the reason is that of the condition Exposed',
    labelNames: [...labels, 'reason'],
    registers,
  });
  const crdMissing = new Gauge({
    name: 'klingoperator_crd_missing_fields',
    help: 'Fields and values that this operator knows and the CustomResourceDefinition in the cluster does not: more than 0, it is older than the operator',
    registers,
  });
  const exposedReasons = new Map<string, string>();
  const diagnosed = new Map<string, Set<string>>();
  const seen = new Map<string, Set<string>>();
  /** Labels of the repairs that were counted, by KlingApi. */
  const counted = new Map<string, Map<string, RepairLabels>>();
  /** Namespaces whose times to repair have begun. */
  const timed = new Set<string>();
  const count = (key: string, how: RepairLabels, by: number): void => {
    repairs.inc({ ...how }, by);
    const past = counted.get(key) ?? new Map<string, RepairLabels>();
    counted.set(key, past.set(`${how.diagnosis} ${how.outcome}`, how));
  };

  return {
    handshake: (namespace, klingapi, verdict) => handshakes.inc({ namespace, klingapi, verdict }),
    definition: (missing) => crdMissing.set(missing),
    observe({ metadata, spec, status: known = {} }, status, plan, { api, mcp }) {
      const own = { namespace: metadata.namespace, klingapi: metadata.name };
      const key = `${metadata.namespace}/${metadata.name}`;
      const { namespace } = metadata;
      // a series that begins with its first count hides that count from increase()
      if (!timed.has(namespace)) repairSeconds.zero({ namespace });
      timed.add(namespace);
      for (const { diagnosis, outcome } of plan.repairs)
        if (outcome === undefined) count(key, { ...own, diagnosis, outcome: 'Recovered' }, 0);
      for (const record of [...plan.settled, ...newKubeletRestarts(known, status)]) {
        count(key, { ...own, diagnosis: record.diagnosis, outcome: record.outcome ?? 'Unknown' }, 1);
        if (record.outcome === 'Recovered' && record.unavailableSeconds !== undefined)
          repairSeconds.observe({ namespace }, record.unavailableSeconds);
      }
      if (metadata.creationTimestamp !== undefined)
        created.set(own, new Date(metadata.creationTimestamp).getTime() / 1_000);
      serving.set(own, plan.pods.filter(serves).length);
      existing.set(own, plan.pods.filter((pod) => !pod.ending).length);
      wanted.set(own, mcp.wanted);
      apiReady.set(own, api.ready);
      apiWanted.set(own, api.wanted);
      downtime.observe(own, metadata.uid, status, mcp.wanted);
      recent.set(own, status.remediation?.recent?.length ?? 0);
      allowed.set(own, spec.remediation.budget.repairs);
      for (const { name, result } of status.verification?.checks ?? []) {
        if (result === 'Skipped') check.remove({ ...own, check: name });
        else check.set({ ...own, check: name }, CHECKED[result]);
      }
      exhausted.set(own, status.remediation?.exhaustedSince === undefined ? 0 : 1);
      const wrong = diagnosesOf(status);
      for (const [name, count] of wrong) diagnosis.set({ ...own, diagnosis: name }, count);
      const names = new Set<string>(wrong.keys());
      for (const name of diagnosed.get(key) ?? []) if (!names.has(name)) diagnosis.remove({ ...own, diagnosis: name });
      diagnosed.set(key, names);
      const reason = exposedReasons.get(key);
      if (reason !== undefined && reason !== status.exposure?.reason) {
        exposed.remove({ ...own, reason });
        exposedReasons.delete(key);
      }
      if (status.exposure !== undefined) {
        exposed.set({ ...own, reason: status.exposure.reason }, EXPOSED[status.exposure.result]);
        exposedReasons.set(key, status.exposure.reason);
      }
      const types = new Set((status.conditions ?? []).map((entry) => entry.type));
      for (const entry of status.conditions ?? [])
        condition.set({ ...own, type: entry.type }, { True: 1, False: 0, Unknown: -1 }[entry.status]);
      for (const type of seen.get(key) ?? []) if (!types.has(type)) condition.remove({ ...own, type });
      seen.set(key, types);
    },
    unreadable(namespace, name) {
      forget(namespace, name);
      for (const [type, value] of UNREADABLE) condition.set({ namespace, klingapi: name, type }, value);
      seen.set(`${namespace}/${name}`, new Set(UNREADABLE.map(([type]) => type)));
    },
    forget,
  };

  function forget(namespace: string, name: string): void {
    const own = { namespace, klingapi: name };
    const key = `${namespace}/${name}`;
    for (const gauge of [created, serving, existing, wanted, apiReady, apiWanted, recent, allowed, exhausted])
      gauge.remove(own);
    downtime.forget(own);
    for (const name of CHECKS) check.remove({ ...own, check: name });
    for (const type of seen.get(key) ?? []) condition.remove({ ...own, type });
    for (const name of diagnosed.get(key) ?? []) diagnosis.remove({ ...own, diagnosis: name });
    for (const verdict of verdictSchema.options) handshakes.remove({ ...own, verdict });
    for (const how of counted.get(key)?.values() ?? []) repairs.remove({ ...how });
    const reason = exposedReasons.get(key);
    if (reason !== undefined) exposed.remove({ ...own, reason });
    exposedReasons.delete(key);
    seen.delete(key);
    diagnosed.delete(key);
    counted.delete(key);
    if ([...seen.keys()].some((other) => other.startsWith(`${namespace}/`))) return;
    repairSeconds.remove({ namespace });
    timed.delete(namespace);
  }
}
