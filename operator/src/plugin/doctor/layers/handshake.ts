import { isReady } from '@klingapi/probe';
import { isRunning } from '../../cluster/pods.ts';
import { rightInWords } from '../../cluster/refusal.ts';
import type { Facts, PodHandshake } from '../facts.ts';
import { broken, type Draft, note, ok, unknown, unseen } from '../finding.ts';

interface Shown {
  pod: string;
  verdict: string;
  diagnosis: string | null;
  message: string;
}

/** The doctor's own handshake counts most; where it could not get past the door, the pod's own says what is behind it. */
function shownBy({ pod, own, report }: PodHandshake): Shown | undefined {
  const from = own === undefined || (own.verdict === 'AuthRequired' && report !== undefined) ? report : own;
  return from === undefined
    ? undefined
    : { pod, verdict: from.verdict, diagnosis: from.diagnosis, message: from.message };
}

const fails = ({ verdict }: Shown): boolean => verdict === 'Failing' || verdict === 'Unreachable';

/** What the operator last saw, where nothing could be seen from here. */
function fromStatus({ klingApi }: Facts): Shown[] {
  if (klingApi.kind !== 'Seen') return [];
  return (klingApi.value.status?.mcp?.pods ?? []).map(({ name, verdict, diagnosis, message }) => ({
    ...{ pod: name, verdict, diagnosis: diagnosis ?? null, message: message ?? verdict },
  }));
}

function nextFor(facts: Facts, pod: string): string[] {
  const at = `${facts.name} -n ${facts.namespace}`;
  const spec = facts.klingApi.kind === 'Seen' ? facts.klingApi.value.spec : undefined;
  const log = `kubectl logs ${pod} -n ${facts.namespace} -c mcp --tail=50`;
  if (spec?.paused === true) return [`kubectl kling resume ${at}`, log];
  return spec?.remediation.mode === 'Auto'
    ? [`kubectl kling history ${at}`, `kubectl kling repair ${at}`, log]
    : [log, `kubectl delete pod ${pod} -n ${facts.namespace}`];
}

export function handshake(facts: Facts): Draft {
  const { pods } = facts.mcp;
  // what a pod that does not run once showed says nothing more than its own layer
  if (pods.kind === 'Seen' && !pods.value.some(isRunning)) return unknown('NoPod', 'no pod runs that could be asked');
  const here = facts.handshakes.flatMap((entry) => shownBy(entry) ?? []);
  const isFromHere = here.length > 0;
  const all = isFromHere ? here : fromStatus(facts);
  const trouble = facts.handshakes.find((entry) => entry.trouble !== undefined)?.trouble;
  const [first] = all;
  if (first === undefined) {
    if (trouble !== undefined && trouble.kind !== 'Seen') return unseen('the handshake', trouble);
    return unknown('NoPod', 'no pod runs that could be asked');
  }
  const by = isFromHere
    ? 'asked just now through the API server'
    : `as the operator saw it${trouble?.kind === 'Refused' ? `, for your account may not ${rightInWords(trouble.right)}` : ''}`;
  const bad = all.filter(fails);
  const worst = bad[0];
  if (worst !== undefined)
    return broken(
      worst.diagnosis ?? worst.verdict,
      `${bad.length} of ${all.length} pods do not speak MCP (${by}): ${worst.pod}: ${worst.message}`,
      ...nextFor(facts, worst.pod),
    );
  const hidden = all.find(({ verdict }) => verdict === 'Unknown');
  if (hidden !== undefined)
    return unknown(
      hidden.diagnosis ?? 'Unknown',
      `${hidden.pod}: ${hidden.message}`,
      `kubectl kling logs ${facts.name} -n ${facts.namespace}`,
    );
  const lame = all.find(({ diagnosis }) => diagnosis !== null);
  if (lame !== undefined) return note(lame.diagnosis ?? '', `${lame.pod}: ${lame.message}`);
  return ok(`${all.length === 1 ? '1 pod speaks' : `${all.length} pods speak`} MCP (${by}): ${first.message}`);
}

/** Whether somebody who gets as far as the pods is served. */
export const isServed = (facts: Facts): boolean =>
  facts.handshakes.some((entry) => {
    const shown = entry.own ?? entry.report;
    return shown !== undefined && isReady(shown.verdict);
  });
