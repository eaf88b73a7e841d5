/** How a KlingApi stands, in one word, and what somebody can do about it. */
import { DIAGNOSES, isDiagnosis } from '../remediation/diagnoses.ts';
import { type KlingApi, REPAIR_ANNOTATION } from '../resource/klingapi.ts';
import type { StandingKind } from './standing-kinds.ts';

export interface Standing {
  kind: StandingKind;
  /** One word: that of the condition or the diagnosis behind it. */
  reason: string;
  message: string;
  /** The next command, where there is one. */
  next: string | null;
}

/** Reasons why a fault that would be repaired is not. */
const LEFT_ALONE: ReadonlySet<string> = new Set(['Paused', 'RemediationOff']);
/** What no waiting mends, beside the diagnoses of the kind `Settings`. */
const NEEDS_PERSON: ReadonlySet<string> = new Set(['UpstreamKeyInvalid', 'UpstreamBalanceEmpty', 'UpstreamRefused']);

const needsPerson = (reason: string): boolean =>
  LEFT_ALONE.has(reason) ||
  NEEDS_PERSON.has(reason) ||
  // one that is slow serves, and is often quick again by itself
  (isDiagnosis(reason) && DIAGNOSES[reason].kind === 'Settings' && reason !== 'Slow');

export function standingOf({ metadata, spec, status }: KlingApi): Standing {
  const resource = `klingapi ${metadata.name} -n ${metadata.namespace}`;
  const describe = `kubectl describe ${resource}`;
  const find = (type: string, wanted: string) =>
    status?.conditions?.find((entry) => entry.type === type && entry.status === wanted);

  const exhausted = find('RemediationExhausted', 'True');
  if (exhausted !== undefined)
    return {
      ...{ kind: 'NeedsPerson', reason: exhausted.reason, message: exhausted.message },
      next: `kubectl annotate ${resource} ${REPAIR_ANNOTATION}="$(date +%s)" --overwrite`,
    };
  const stalled = find('Stalled', 'True');
  if (stalled !== undefined)
    return { kind: 'NeedsPerson', reason: stalled.reason, message: stalled.message, next: describe };
  const underWay = status?.repairs?.find(({ outcome }) => outcome === undefined);
  if (underWay !== undefined)
    return {
      ...{ kind: 'Repairing', reason: underWay.diagnosis, message: `${underWay.pod}: ${underWay.evidence.message}` },
      next: null,
    };
  const degraded = find('Degraded', 'True');
  if (degraded !== undefined) {
    const left = spec.paused || spec.remediation.mode !== 'Auto';
    return {
      kind: left || needsPerson(degraded.reason) ? 'NeedsPerson' : 'Troubled',
      ...{ reason: degraded.reason, message: degraded.message, next: describe },
    };
  }
  const unready = find('Ready', 'False') ?? find('Ready', 'Unknown');
  const trouble = unready ?? find('UpstreamReachable', 'False');
  if (trouble !== undefined) {
    const { reason, message } = trouble;
    if (needsPerson(reason)) return { kind: 'NeedsPerson', reason, message, next: describe };
    const starts = trouble === unready && find('Reconciling', 'True') !== undefined;
    return { kind: starts ? 'Starting' : 'Troubled', reason, message, next: describe };
  }
  const ready = find('Ready', 'True');
  if (ready === undefined)
    return {
      ...{ kind: 'Starting', reason: 'NotSeen', message: 'the operator has not looked at it yet' },
      next: `kubectl get pods -n ${metadata.namespace} -l klingapi.dev/name=${metadata.name}`,
    };
  if (!spec.paused) return { kind: 'Well', reason: ready.reason, message: ready.message, next: null };
  return {
    ...{ kind: 'Paused', reason: 'Paused', message: 'spec.paused is true: nothing is written and nothing is repaired' },
    next: `kubectl patch ${resource} --type=merge -p '{"spec":{"paused":false}}'`,
  };
}
