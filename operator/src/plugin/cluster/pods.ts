/** Pods of a KlingApi and of its operator. */
import type { V1Deployment, V1Pod } from '@kubernetes/client-node';
import { KINDS } from '../../kube/kinds.ts';
import { type Component, NAME_LABEL } from '../../resource/names.ts';
import type { Kube } from './kubeconfig.ts';

export const OPERATOR_NAMESPACE = 'kling-system';
/** Labels that the chart gives, whatever the release is called. */
export const OPERATOR_LABELS = 'app.kubernetes.io/name=kling-operator,app.kubernetes.io/component=operator';

export async function podsOf(kube: Kube, name: string, component: Component): Promise<V1Pod[]> {
  const labelSelector = `${NAME_LABEL}=${name},app.kubernetes.io/component=${component}`;
  const { items } = await kube.client.list<V1Pod>(KINDS.Pod, { namespace: kube.namespace, labelSelector });
  return items.sort((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1));
}

export async function operatorPods(kube: Kube, namespace: string): Promise<V1Pod[]> {
  return (await kube.client.list<V1Pod>(KINDS.Pod, { namespace, labelSelector: OPERATOR_LABELS })).items;
}

export async function operatorDeployments(kube: Kube, namespace: string | undefined): Promise<V1Deployment[]> {
  return (await kube.client.list<V1Deployment>(KINDS.Deployment, { namespace, labelSelector: OPERATOR_LABELS })).items;
}

/** Whether an operator looks after a namespace: one that is scoped names those that it watches. */
export function watches(deployment: V1Deployment, namespace: string): boolean {
  const env = deployment.spec?.template.spec?.containers.flatMap((container) => container.env ?? []) ?? [];
  const entry = env.find(({ name }) => name === 'WATCH_NAMESPACES');
  // from the pod's own fields: the namespace that it runs in
  const watched = (entry?.valueFrom === undefined ? entry?.value : deployment.metadata?.namespace) ?? '';
  return watched === '' || watched.split(',').includes(namespace);
}

/**
 * The operators that look after a namespace: first where one with few rights can look, then everywhere.
 * @throws KubeError where none was found and not every place could be looked at
 */
export async function findOperators(kube: Kube, namespace: string, hint: string | undefined): Promise<V1Deployment[]> {
  let refused: unknown;
  for (const place of hint === undefined ? [namespace, OPERATOR_NAMESPACE, undefined] : [hint]) {
    try {
      const found = (await operatorDeployments(kube, place)).filter((deployment) => watches(deployment, namespace));
      if (found.length > 0) return found;
    } catch (error) {
      refused = error;
    }
  }
  if (refused !== undefined) throw refused;
  return [];
}

export const isReady = (pod: V1Pod): boolean =>
  pod.metadata?.deletionTimestamp === undefined &&
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

export const isRunning = (pod: V1Pod): boolean =>
  pod.metadata?.deletionTimestamp === undefined && pod.status?.phase === 'Running';
