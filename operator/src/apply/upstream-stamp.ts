/**
 * A stamp of the upstream credentials for the template of the API pods: another key gives another stamp, and another stamp
 * new pods. It is keyed with the internal key, so that nobody who reads the pod can try keys against it.
 */
import { createHmac } from 'node:crypto';
import type { V1StatefulSet } from '@kubernetes/client-node';
import { UPSTREAM_STAMP } from '../children/child.ts';
import { upstreamReferences } from '../observe/secret-references.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import type { Secrets } from './secrets.ts';

/**
 * @param live the API workload as it is: while a Secret is missing its stamp stays, or what comes back unchanged would
 * make new pods
 * @returns undefined where no Secret is named, or none was ever there
 */
export async function upstreamStamp(
  klingApi: KlingApi,
  live: V1StatefulSet | undefined,
  internalKey: string,
  secrets: Pick<Secrets, 'read'>,
): Promise<string | undefined> {
  const references = upstreamReferences(klingApi);
  if (references.length === 0) return undefined;
  const hmac = createHmac('sha256', internalKey).update(UPSTREAM_STAMP);
  for (const { field, name, key } of references) {
    const value = (await secrets.read(klingApi.metadata.namespace, name))?.[key];
    if (value === undefined) return live?.spec?.template.metadata?.annotations?.[UPSTREAM_STAMP];
    // lengths first: no two lists of values read the same
    for (const part of [Buffer.from(field), value]) hmac.update(`${part.length}:`).update(part);
  }
  return hmac.digest('hex').slice(0, 32);
}
