/** The Secrets and ConfigMaps that pods cannot start without: whether they are there. */
import type { Secrets } from '../apply/secrets.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import type { Finding } from '../status/conditions.ts';
import { references } from './references.ts';

/** What is missing, by the pods that wait for it. */
export interface Missing {
  api: Finding | null;
  mcp: Finding | null;
}

export const NOTHING_MISSING: Missing = { api: null, mcp: null };

/** Says what is missing and what to do about it; never tells a value. */
export async function missingReferences(klingApi: KlingApi, secrets: Pick<Secrets, 'lookUp'>): Promise<Missing> {
  const { namespace } = klingApi.metadata;
  const missing = { ...NOTHING_MISSING };
  for (const { component, kind, field, name, key, optional } of references(klingApi)) {
    // what the sandbox reads, the API reads too
    if (optional || component === 'sandbox' || missing[component] !== null) continue;
    const data = await secrets.lookUp(kind, namespace, name);
    const wanted = key === undefined ? '' : ` with the key "${key}"`;
    const message =
      data === undefined
        ? `${kind} ${name} does not exist in namespace ${namespace}, or the operator may not read it: create it${wanted}, or change ${field}`
        : key !== undefined && data[key] === undefined
          ? `${kind} ${name} has no key "${key}": add the key, or change ${field}`
          : undefined;
    if (message !== undefined) missing[component] = { reason: `Missing${kind}`, message };
  }
  return missing;
}
