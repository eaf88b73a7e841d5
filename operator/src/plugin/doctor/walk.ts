/** From facts to findings, layer by layer. The first that is broken is the answer; what lies behind it may follow from it. */

import type { Facts } from './facts.ts';
import { type Draft, type Finding, LAYERS, type Layer, unknown } from './finding.ts';
import { api } from './layers/api.ts';
import { cluster } from './layers/cluster.ts';
import { exposure } from './layers/exposure.ts';
import { handshake } from './layers/handshake.ts';
import { klingApi } from './layers/klingapi.ts';
import { operator } from './layers/operator.ts';
import { pods } from './layers/pods.ts';
import { service } from './layers/service.ts';
import { upstream } from './layers/upstream.ts';

export interface Diagnosis {
  readonly name: string;
  readonly namespace: string;
  /** The first broken layer; undefined where none is. */
  readonly answer: Finding | undefined;
  readonly findings: readonly Finding[];
}

const RULES: Readonly<Record<Layer, (facts: Facts) => Draft>> = {
  Cluster: cluster,
  Operator: operator,
  KlingApi: klingApi,
  Exposure: exposure,
  Service: service,
  Pods: pods,
  Handshake: handshake,
  API: api,
  Upstream: upstream,
};

/** Without these nothing further in can be known. */
const GATES: ReadonlySet<string> = new Set(['ApiServerUnreachable', 'CrdMissing', 'NotFound']);

export function walk(facts: Facts): Diagnosis {
  let gate: Finding | undefined;
  const findings = LAYERS.map((layer): Finding => {
    if (gate !== undefined) return { layer, ...unknown('Behind', `not known: it lies behind the ${gate.layer}`) };
    const found: Finding = { layer, ...RULES[layer](facts) };
    if (found.state === 'Broken' && GATES.has(found.reason)) gate = found;
    return found;
  });
  return {
    name: facts.name,
    namespace: facts.namespace,
    answer: findings.find(({ state }) => state === 'Broken'),
    findings,
  };
}
