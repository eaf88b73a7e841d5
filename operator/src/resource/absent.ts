/** What an absent block means. The CRD stores no default for these, so a later apply never meets a stale one. */
import type { KlingApiSpec } from './spec.ts';

export type McpServer = 'Kling' | 'Other';
export type McpAuth = 'callers' | 'none';

/** Whose server the MCP pods run; never decided by an image's name. */
export const mcpServer = (spec: KlingApiSpec): McpServer =>
  spec.mcp.server ?? (spec.mcp.image === undefined ? 'Kling' : 'Other');

/** How our own MCP and API services know their callers. */
export const mcpAuth = (spec: KlingApiSpec): McpAuth => (spec.mcp.auth?.none === undefined ? 'callers' : 'none');

/** Our own server speaks both eras, and either can break alone, so `Any` asks both of it. */
export const handshakeEras = (spec: KlingApiSpec): KlingApiSpec['mcp']['handshake']['eras'] =>
  spec.mcp.handshake.eras === 'Any' && mcpServer(spec) === 'Kling' ? 'Both' : spec.mcp.handshake.eras;

export interface SqliteStorage {
  size: string;
  storageClassName?: string | undefined;
  reclaim: 'Retain' | 'Delete';
}

export const sqliteStorage = (spec: KlingApiSpec): SqliteStorage =>
  spec.api.storage?.sqlite ?? { size: '1Gi', reclaim: 'Retain' };

/** Pods at creation where `replicas` is absent; afterwards the live number stays. */
export const initialReplicas = { api: 1, mcp: 2 } as const;

/**
 * Who says how many MCP pods there are.
 * @returns `owned`: the number this operator keeps, undefined where that is another's; `initial`: the number at creation
 */
export function mcpReplicas({ mcp }: KlingApiSpec): { owned: number | undefined; initial: number } {
  const { autoscaling, replicas } = mcp;
  const initial = replicas ?? initialReplicas.mcp;
  return autoscaling === undefined
    ? { owned: replicas, initial }
    : { owned: undefined, initial: Math.min(Math.max(initial, autoscaling.min), autoscaling.max) };
}

/**
 * Pods that may be repaired at a time, never 0.
 * @param pods number of MCP pods
 */
export const concurrentRepairs = (limit: number | string, pods: number): number =>
  typeof limit === 'number' ? limit : Math.max(1, Math.ceil((pods * Number.parseInt(limit, 10)) / 100));
