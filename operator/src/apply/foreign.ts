/** Objects that bear a child's name but are not ours are never adopted. */
import type { V1ObjectMeta } from '@kubernetes/client-node';
import { MANAGED_BY, NAME_LABEL } from '../resource/names.ts';
import type { Finding } from '../status/conditions.ts';

export interface Owner {
  name: string;
  uid: string;
}

/** @returns why this object is foreign, or null where it is ours (or a retained claim of an earlier KlingApi of that name) */
export function foreign(kind: string, metadata: V1ObjectMeta | undefined, owner: Owner): Finding | null {
  const what = `${kind} ${metadata?.name}`;
  const controller = metadata?.ownerReferences?.find((reference) => reference.controller === true);
  if (controller !== undefined) {
    return controller.uid === owner.uid
      ? null
      : {
          reason: 'ForeignObject',
          message: `${what} is controlled by ${controller.kind} ${controller.name}: delete it or choose another name for this KlingApi`,
        };
  }
  const labels = metadata?.labels ?? {};
  if (labels['app.kubernetes.io/managed-by'] === MANAGED_BY && labels[NAME_LABEL] === owner.name) return null;
  return {
    reason: 'ForeignObject',
    message: `${what} exists and was not made by this operator: delete it or choose another name for this KlingApi`,
  };
}

/** Stops the children that come after it; its finding is the reason of `Stalled`. */
export class StalledError extends Error {
  override readonly name = 'StalledError';
  readonly finding: Finding;
  constructor(finding: Finding) {
    super(finding.message);
    this.finding = finding;
  }
}
