/**
 * A stamp of what the pods of one workload read once from Secrets and ConfigMaps, for their template: another value gives
 * another stamp, and another stamp new pods. It is keyed with the internal key, so that nobody who reads the pod can try
 * values against it.
 */
import { createHmac } from 'node:crypto';
import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import { INPUT_STAMP } from '../children/child.ts';
import { references } from '../observe/references.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import type { Component } from '../resource/names.ts';
import type { Secrets } from './secrets.ts';

/**
 * @param live the pod template as it is: while something is missing its stamp stays, or what comes back unchanged would make
 * new pods
 * @param internalKey undefined where there is none yet: then the stamp stays too
 * @returns undefined where nothing is named, or it was never all there
 */
export async function inputStamp(
  klingApi: KlingApi,
  component: Component,
  live: V1PodTemplateSpec | undefined,
  internalKey: string | undefined,
  secrets: Pick<Secrets, 'lookUp'>,
): Promise<string | undefined> {
  const inputs = references(klingApi).filter((entry) => entry.component === component && !entry.reloaded);
  if (inputs.length === 0) return undefined;
  const before = live?.metadata?.annotations?.[INPUT_STAMP];
  if (internalKey === undefined) return before;
  const hmac = createHmac('sha256', internalKey).update(INPUT_STAMP);
  // lengths first: no two lists of values read the same
  const add = (part: string | Buffer): void => void hmac.update(`${Buffer.byteLength(part)}:`).update(part);
  for (const { kind, field, name, key, optional } of inputs) {
    const data = await secrets.lookUp(kind, klingApi.metadata.namespace, name);
    const entries = Object.entries(data ?? {})
      .filter(([entry]) => key === undefined || entry === key)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const absent = data === undefined || (key !== undefined && entries.length === 0);
    if (absent && !optional) return before;
    add(field);
    add(absent ? 'absent' : String(entries.length));
    for (const [entry, value] of entries) {
      add(entry);
      add(value);
    }
  }
  return hmac.digest('hex').slice(0, 32);
}
