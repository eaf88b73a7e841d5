/** Keeps the template of the applied and of the verified revision, and takes away those of all others. */
import type { V1Deployment, V1PodTemplateSpec } from '@kubernetes/client-node';
import { controllerRevision, revisionName, templateOf } from '../children/controller-revision.ts';
import { RESTARTED_AT, REVISION_LABEL, restartedAt, revisionOf, stamped } from '../children/revision.ts';
import type { Context } from '../context.ts';
import { isVoid } from '../remediation/restart-all.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { type Choice, choose, UNNAMED } from '../rollout/choose.ts';
import { removeChild } from './remove.ts';

type Deps = Pick<Context, 'caches' | 'client' | 'log' | 'turns' | 'now'>;

const KIND = 'ControllerRevision';

/** @returns undefined where no template of that revision is kept */
export const keptTemplate = (
  klingApi: KlingApi,
  revision: string,
  { caches }: Pick<Context, 'caches'>,
): V1PodTemplateSpec | undefined =>
  templateOf(caches.child(KIND, klingApi.metadata.namespace, revisionName(klingApi, revision)));

/**
 * A change came with the spec unless this generation was applied before.
 * @param live what runs; nothing there yet counts as asked for
 */
export const isAsked = ({ metadata, status }: KlingApi, live: object | undefined): boolean =>
  live === undefined || metadata.generation !== status?.observedGeneration;

/** @returns the stamp of the newest restart by a repair, or what runs where that restart may not reach it any more */
function restartOf({ spec, status }: KlingApi, live: V1Deployment | undefined, now: number): string | undefined {
  const asked = status?.revisions?.restartedAt;
  const record = status?.repairs?.find(({ action, startedAt }) => action === 'RolloutRestart' && startedAt === asked);
  // where a status was lost, what runs still tells of the last restart: without the stamp all pods would be made anew
  if (asked === undefined || (record !== undefined && isVoid(record, spec.remediation.mode !== 'Auto', now)))
    return restartedAt(live);
  return asked;
}

/** @returns which template is applied, and the Deployment with it; no Deployment where what runs has to stay */
export function chosenDeployment(
  klingApi: KlingApi,
  desired: V1Deployment,
  live: V1Deployment | undefined,
  deps: Deps,
): { choice: Choice; deployment: V1Deployment | undefined } {
  const revisions = klingApi.status?.revisions ?? {};
  const wanted = revisionOf(desired) ?? '';
  const choice = choose({
    wanted,
    live: live === undefined ? undefined : (revisionOf(live) ?? UNNAMED),
    revisions,
    generation: klingApi.metadata.generation,
    asked: isAsked(klingApi, live),
    isKept: (revision) => keptTemplate(klingApi, revision, deps) !== undefined,
    mayRoll: () => deps.turns.take(klingApi),
  });
  const spec = desired.spec;
  const own = spec?.template;
  const template =
    choice.kind === 'Wanted'
      ? own
      : choice.kind === 'RolledBack'
        ? keptTemplate(klingApi, choice.revision, deps)
        : undefined;
  if (spec === undefined || template === undefined) return { choice, deployment: undefined };
  const restart = restartOf(klingApi, live, deps.now());
  const stamps = restart === undefined ? {} : { [RESTARTED_AT]: restart };
  return { choice, deployment: { ...desired, spec: { ...spec, template: stamped(template, own, stamps) } } };
}

/** To be called after the Deployment stands: what it runs must be there to go back to. */
export const revisionToKeep = (klingApi: KlingApi, applied: V1Deployment) =>
  controllerRevision(klingApi, revisionOf(applied) ?? '', applied.spec?.template ?? {});

export async function dropOldRevisions(klingApi: KlingApi, applied: string, deps: Deps): Promise<void> {
  const { verified, current } = klingApi.status?.revisions ?? {};
  const wanted = new Set([applied, verified, current]);
  for (const object of deps.caches.revisions(klingApi)) {
    const name = object.metadata?.name;
    if (name !== undefined && !wanted.has(object.metadata?.labels?.[REVISION_LABEL]))
      await removeChild(klingApi, { apiVersion: 'apps/v1', kind: KIND, name }, deps);
  }
}
