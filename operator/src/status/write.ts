/** Writes the status when it changed, under the resourceVersion that it was made from. */
import { isDeepStrictEqual } from 'node:util';
import { FIELD_MANAGER } from '../apply/applier.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict, isNotFound, KubeError } from '../kube/errors.ts';
import { API_VERSION, KIND, type KlingApi } from '../resource/klingapi.ts';
import type { KlingApiStatus } from '../resource/status.ts';
import { OWN_TYPES } from './conditions.ts';
import { printableAll } from './printable.ts';

/** What an apply of ours leaves alone is no difference either, or it would be sent at every look. */
const ownPart = (status: KlingApiStatus = {}): KlingApiStatus =>
  status.conditions === undefined
    ? status
    : { ...status, conditions: status.conditions.filter(({ type }) => OWN_TYPES.has(type)) };

/** Overtaken: what this look was made from is out of date, so nothing of it may be acted on. */
export type Written = 'Unchanged' | 'Written' | 'Overtaken';

/** @returns Unchanged where the status stands as given already, and nothing was sent */
export async function writeStatus(
  client: Pick<KubeClient, 'apply'>,
  klingApi: KlingApi,
  made: KlingApiStatus,
): Promise<Written> {
  const status = printableAll(made);
  if (isDeepStrictEqual(JSON.parse(JSON.stringify(ownPart(klingApi.status))), JSON.parse(JSON.stringify(status))))
    return 'Unchanged';
  const { name, namespace, resourceVersion, uid } = klingApi.metadata;
  try {
    await client.apply(
      { apiVersion: API_VERSION, kind: KIND, metadata: { name, namespace, resourceVersion, uid }, status },
      { fieldManager: FIELD_MANAGER, force: true, subresource: 'status' },
    );
    return 'Written';
  } catch (error) {
    if (isConflict(error) || isNotFound(error)) return 'Overtaken';
    throw outdated(error) ?? error;
  }
}

/** The operator was brought without its CRD: nothing can be written down, so nothing is repaired either. */
function outdated(error: unknown): KubeError | undefined {
  const field =
    error instanceof KubeError ? /(\.status\.\S+): field not declared in schema/.exec(error.message)?.[1] : undefined;
  return field === undefined
    ? undefined
    : new KubeError({
        code: 'Rejected',
        message: `The CustomResourceDefinition of klingapis.klingapi.dev is older than this operator (it has no ${field}): apply the one of this release, crds/ in the repository`,
        cause: error,
      });
}
