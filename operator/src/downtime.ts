/**
 * Time for which a KlingApi spoke no MCP, counted where it is known and not where it is scraped: a repair may take less than the
 * time between two scrapes. It begins when a KlingApi that has served before serves no more, so its first start is none of it.
 */
import { Counter, type Registry } from 'prom-client';
import type { KlingApiStatus } from './resource/status.ts';

export interface Downtime {
  /** @param wanted MCP pods that there should be: with none nothing is missed */
  observe(own: { namespace: string; klingapi: string }, uid: string, status: KlingApiStatus, wanted: number): void;
  forget(own: { namespace: string; klingapi: string }): void;
}

interface Known {
  /** Another takes the name of one that is gone, and has not served yet. */
  readonly uid: string;
  readonly namespace: string;
  readonly klingapi: string;
  served: boolean;
  down: boolean;
  /** Up to when it is counted, in milliseconds. */
  countedTo: number;
}

/** @param now milliseconds that never jump */
export function createDowntime(registry: Registry, now: () => number): Downtime {
  const all = new Map<string, Known>();
  const keyOf = (own: { namespace: string; klingapi: string }): string => `${own.namespace}/${own.klingapi}`;
  const seconds = new Counter({
    name: 'klingoperator_mcp_down_seconds_total',
    help: 'Time for which a KlingApi that had served before served no MCP, as the operator saw it; its first start and times without any wanted pod do not count',
    labelNames: ['namespace', 'klingapi'],
    registers: [registry],
    collect() {
      for (const known of all.values()) count(known);
    },
  });

  function count(known: Known): void {
    const { namespace, klingapi } = known;
    const time = now();
    const passed = known.down ? (time - known.countedTo) / 1_000 : 0;
    known.countedTo = time;
    seconds.inc({ namespace, klingapi }, passed);
  }

  return {
    observe(own, uid, { conditions = [], revisions }, wanted) {
      const status = conditions.find(({ type }) => type === 'McpAvailable')?.status;
      const before = all.get(keyOf(own));
      if (before !== undefined) count(before);
      const known = before?.uid === uid ? before : { ...own, uid, served: false, down: false, countedTo: now() };
      known.served ||= status === 'True' || revisions?.verified !== undefined;
      known.down = known.served && wanted > 0 && status === 'False';
      all.set(keyOf(own), known);
    },
    forget(own) {
      all.delete(keyOf(own));
      seconds.remove(own);
    },
  };
}
