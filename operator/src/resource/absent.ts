/** What an absent block means. The CRD stores no default for these, so a later apply never meets a stale one. */
import type { KlingApiSpec } from './spec.ts';

export type McpServer = 'Kling' | 'Other';
export type McpAuth = 'callers' | 'oauth' | 'none';

/** Whose server the MCP pods run; never decided by an image's name. */
export const mcpServer = (spec: KlingApiSpec): McpServer =>
  spec.mcp.server ?? (spec.mcp.image === undefined ? 'Kling' : 'Other');

/** How our own MCP service knows its callers. */
export function mcpAuth({ mcp: { auth } }: KlingApiSpec): McpAuth {
  if (auth?.none !== undefined) return 'none';
  return auth?.oauth === undefined ? 'callers' : 'oauth';
}

/** Our own server speaks both eras, and either can break alone, so `Any` asks both of it. */
export const handshakeEras = (spec: KlingApiSpec): KlingApiSpec['mcp']['handshake']['eras'] =>
  spec.mcp.handshake.eras === 'Any' && mcpServer(spec) === 'Kling' ? 'Both' : spec.mcp.handshake.eras;

export interface SqliteStorage {
  size: string;
  storageClassName?: string | undefined;
  reclaim: 'Retain' | 'Delete';
}

/** @returns undefined where tasks are kept in PostgreSQL */
export function sqliteStorage({ api: { storage } }: KlingApiSpec): SqliteStorage | undefined {
  if (storage?.postgres !== undefined) return undefined;
  return storage?.sqlite ?? { size: '1Gi', reclaim: 'Retain' };
}

/** The workload of the API: a SQLite file allows one pod, and never two at once. */
export const apiWorkload = (spec: KlingApiSpec): 'StatefulSet' | 'Deployment' =>
  sqliteStorage(spec) === undefined ? 'Deployment' : 'StatefulSet';

type S3 = NonNullable<NonNullable<KlingApiSpec['api']['results']>['s3']>;

/** Where objects are, with what is absent filled in. Amazon's own stores have the bucket in the host, most others in the path. */
export function s3Store({ endpoint, region = 'us-east-1', forcePathStyle }: S3) {
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return {
    endpoint: endpoint?.replace(/\/$/, '') ?? `https://s3.${region}.${suffix}`,
    region,
    forcePathStyle: forcePathStyle ?? endpoint !== undefined,
  };
}

/** The external base address, without a slash at its end; undefined where the services are for the cluster alone. */
export function publicUrl({ expose }: KlingApiSpec): string | undefined {
  if (expose?.url !== undefined) return expose.url;
  if (expose?.ingress !== undefined)
    return `${expose.ingress.tlsSecretName === undefined ? 'http' : 'https'}://${expose.ingress.host}`;
  const hostname = expose?.httpRoute?.hostnames[0];
  return hostname === undefined ? undefined : `https://${hostname}`;
}

/** Every host name, without port, under which requests from outside arrive. */
export function publicHosts(spec: KlingApiSpec): string[] {
  const { expose } = spec;
  return [
    ...new Set([
      ...(expose?.url === undefined ? [] : [new URL(expose.url).hostname]),
      ...(expose?.ingress === undefined ? [] : [expose.ingress.host]),
      ...(expose?.httpRoute?.hostnames ?? []),
    ]),
  ];
}

/** What a token has to name as its audience. */
export const oauthAudience = (spec: KlingApiSpec): string =>
  spec.mcp.auth?.oauth?.audience ?? `${publicUrl(spec) ?? ''}${spec.mcp.path}`;

/** Pods at creation where `replicas` is absent; afterwards the live number stays. */
export const initialReplicas = { api: 1, mcp: 2 } as const;

/**
 * Who says how many pods of a Deployment there are.
 * @returns `owned`: the number this operator keeps, undefined where that is another's; `initial`: the number at creation
 */
export function ownedReplicas(
  component: 'mcp' | 'api',
  spec: KlingApiSpec,
): { owned: number | undefined; initial: number } {
  const { autoscaling, replicas } = spec[component];
  const initial = replicas ?? initialReplicas[component];
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
