/** The Secrets that pods cannot start without: which they are, and whether they are there. */
import type { Secrets } from '../apply/secrets.ts';
import { mcpAuth, mcpServer } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import type { Finding } from '../status/conditions.ts';

export interface SecretReference {
  /** Whose pods mount it. */
  component: 'api' | 'mcp';
  /** Where the resource names it. */
  field: string;
  name: string;
  /** The key that has to be in it; absent where the whole Secret is mounted. */
  key?: string;
}

/** What is missing, by the pods that wait for it. */
export interface MissingSecrets {
  api: Finding | null;
  mcp: Finding | null;
}

export const NOTHING_MISSING: MissingSecrets = { api: null, mcp: null };

/** The credentials of the upstream; none for the sandbox. */
export function upstreamReferences({ spec }: KlingApi): (SecretReference & { key: string })[] {
  const { upstream } = spec;
  if (upstream.provider === 'Sandbox') return [];
  return (['apiKeySecretRef', 'accessKeySecretRef', 'secretKeySecretRef'] as const).flatMap((field) => {
    const reference = upstream[field];
    return reference === undefined
      ? []
      : [{ component: 'api' as const, field: `spec.upstream.${field}`, name: reference.name, key: reference.key }];
  });
}

/** Every Secret that the resource names and that a pod mounts. */
export function secretReferences(klingApi: KlingApi): SecretReference[] {
  const { api, mcp } = klingApi.spec;
  const ours = mcpServer(klingApi.spec) === 'Kling';
  const callers = api.callersSecretRef && { field: 'spec.api.callersSecretRef', name: api.callersSecretRef.name };
  const headers = mcp.handshake.headersSecretRef;
  return [
    ...upstreamReferences(klingApi),
    ...(callers === undefined ? [] : [{ component: 'api' as const, ...callers }]),
    ...(callers === undefined || !ours || mcpAuth(klingApi.spec) !== 'callers'
      ? []
      : [{ component: 'mcp' as const, ...callers }]),
    ...(headers === undefined || ours
      ? []
      : [{ component: 'mcp' as const, field: 'spec.mcp.handshake.headersSecretRef', name: headers.name }]),
  ];
}

/** Says what is missing and what to do about it; never tells a value. */
export async function missingSecrets(klingApi: KlingApi, secrets: Pick<Secrets, 'read'>): Promise<MissingSecrets> {
  const { namespace } = klingApi.metadata;
  const missing = { ...NOTHING_MISSING };
  for (const { component, field, name, key } of secretReferences(klingApi)) {
    if (missing[component] !== null) continue;
    const data = await secrets.read(namespace, name);
    const wanted = key === undefined ? '' : ` with the key "${key}"`;
    const message =
      data === undefined
        ? `Secret ${name} does not exist in namespace ${namespace}, or the operator may not read it: create it${wanted}, or change ${field}`
        : key !== undefined && data[key] === undefined
          ? `Secret ${name} has no key "${key}": add the key, or change ${field}`
          : undefined;
    if (message !== undefined) missing[component] = { reason: 'MissingSecret', message };
  }
  return missing;
}
