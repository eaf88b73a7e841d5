/** What the commands write: an annotation that asks for something, and spec.paused. Nothing else. */
import { API_VERSION, KIND } from '../../resource/klingapi.ts';
import type { Listed } from './klingapis.ts';
import type { Kube } from './kubeconfig.ts';

const FIELD_MANAGER = 'kubectl-kling';

const patch = async (kube: Kube, { metadata }: Listed, change: object): Promise<void> => {
  const { namespace, name } = metadata;
  await kube.client.mergePatch({ apiVersion: API_VERSION, kind: KIND, namespace, name }, change, {
    fieldManager: FIELD_MANAGER,
  });
};

export const annotate = (kube: Kube, klingApi: Listed, annotation: string, value: string): Promise<void> =>
  patch(kube, klingApi, { metadata: { annotations: { [annotation]: value } } });

export const setPaused = (kube: Kube, klingApi: Listed, paused: boolean): Promise<void> =>
  patch(kube, klingApi, { spec: { paused } });

/** Labels and annotations by which tools mark what they keep as it is in a repository. */
const MARKS: readonly [key: string, tool: string][] = [
  ['argocd.argoproj.io/instance', 'Argo CD'],
  ['argocd.argoproj.io/tracking-id', 'Argo CD'],
  ['kustomize.toolkit.fluxcd.io/name', 'Flux'],
  ['helm.toolkit.fluxcd.io/name', 'Flux'],
];
const MANAGERS: readonly [pattern: RegExp, tool: string][] = [
  [/^argocd-/, 'Argo CD'],
  [/^(kustomize|helm)-controller$/, 'Flux'],
  [/^helm$/, 'Helm'],
];

/** A tool that may put back what is changed here; undefined where none shows. */
export function keeperOf({ metadata }: Pick<Listed, 'metadata'>): string | undefined {
  const marked = MARKS.find(
    ([key]) => metadata.labels?.[key] !== undefined || metadata.annotations?.[key] !== undefined,
  );
  if (marked !== undefined) return marked[1];
  const managers = metadata.managedFields?.flatMap(({ manager }) => manager ?? []) ?? [];
  return MANAGERS.find(([pattern]) => managers.some((manager) => pattern.test(manager)))?.[1];
}
