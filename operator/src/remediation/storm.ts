/**
 * The storm guard: when many KlingApis fail at about the same time, the cause is hardly in each of their processes (a network policy,
 * the DNS, a node), and restarting them all adds to it. It asks the statuses alone, so every operator sees the same storm, and it
 * passes by itself when they serve again.
 */
import type { Verdict } from '@klingapi/probe';
import type { KlingApi } from '../resource/klingapi.ts';
import type { Assessment } from './assess.ts';
import type { Diagnosis } from './diagnoses.ts';
import { at } from './time.ts';

export interface StormPolicy {
  /** Fewest KlingApis that are a storm; 0 turns the guard off. */
  klingApis: number;
  /** Fewest of all KlingApis, in percent. */
  percent: number;
  /** Time within which they began to fail. */
  windowSeconds: number;
}

/** The process itself answered, if wrongly, or its log names the cause. */
export const fromInside = (pod: Pick<Assessment, 'evidence'>, signature: boolean): boolean =>
  signature || pod.evidence.httpStatus !== undefined;

/**
 * What a handshake shows where nothing in the process answered, by its verdict. Unknown is what the operator alone finds, some
 * seconds before the kubelet and the probe: when they do, the first repair is under way. NetworkBlocked is none, because it may last.
 */
const SILENT: Readonly<Partial<Record<Verdict, readonly Diagnosis[]>>> = {
  Unreachable: ['ProcessHung', 'ConnectionRefused', 'NameResolution'],
  Unknown: ['ObserversDisagree', 'NameResolution'],
};

/** When its MCP pods fell silent, those that are, in milliseconds. */
const silentSince = ({ status }: KlingApi): number[] =>
  (status?.mcp?.pods ?? [])
    .filter(({ verdict, diagnosis }) => SILENT[verdict]?.some((each) => each === diagnosis))
    .map((pod) => at(pod.since));

/**
 * @param mine when the pod that is to be repaired began to fail, milliseconds: what others have been left with by something
 * else, or by somebody who does not repair them, says nothing of it
 * @returns why its repair is held back, in words, or null
 */
export function stormIn(all: KlingApi[], policy: StormPolicy, mine: number): string | null {
  if (policy.klingApis === 0) return null;
  const known = all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const times = known.map(silentSince);
  const need = Math.max(policy.klingApis, Math.ceil((known.length * policy.percent) / 100));
  const windowMs = policy.windowSeconds * 1_000;
  const windows = [mine, ...times.flat()].filter((start) => start <= mine && mine - start <= windowMs);
  const together = Math.max(
    ...windows.map(
      (start) => times.filter((own) => own.some((time) => time >= start && time - start <= windowMs)).length,
    ),
  );
  return together >= need
    ? `${together} of ${known.length} KlingApis fell silent within ${policy.windowSeconds} s, which points at a cause outside them`
    : null;
}
