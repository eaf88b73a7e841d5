/**
 * The storm guard: when many KlingApis fail at about the same time, the cause is hardly in each of their processes (a network policy,
 * the DNS, a node), and restarting them all adds to it. It asks the statuses alone, so every operator sees the same storm, and it
 * passes by itself when they serve again.
 */
import type { KlingApi } from '../resource/klingapi.ts';
import type { Assessment } from './assess.ts';
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

/** What a handshake shows where nothing in the process answered. */
const SILENT: ReadonlySet<string> = new Set(['ProcessHung', 'ConnectionRefused', 'NeverEnding', 'NameResolution']);

/** When its MCP pods began to fall silent, in milliseconds; null while they are not. */
function silentSince({ status }: KlingApi): number | null {
  const times = (status?.mcp?.pods ?? [])
    .filter((pod) => pod.verdict === 'Unreachable' && SILENT.has(pod.diagnosis ?? ''))
    .map((pod) => at(pod.since));
  return times.length === 0 ? null : Math.min(...times);
}

/** @returns why repairs are held back, in words, or null */
export function stormIn(all: KlingApi[], policy: StormPolicy): string | null {
  if (policy.klingApis === 0) return null;
  const times = all.map(silentSince).filter((time) => time !== null);
  const need = Math.max(policy.klingApis, Math.ceil((all.length * policy.percent) / 100));
  const sorted = times.sort((a, b) => a - b);
  const together = sorted.some((time, index) => {
    const last = sorted[index + need - 1];
    return last !== undefined && last - time <= policy.windowSeconds * 1_000;
  });
  return together
    ? `${times.length} of ${all.length} KlingApis fell silent within ${policy.windowSeconds} s, which points at a cause outside them`
    : null;
}
