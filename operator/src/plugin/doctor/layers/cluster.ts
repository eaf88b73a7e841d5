import type { Facts } from '../facts.ts';
import { broken, type Draft, ok, unseen } from '../finding.ts';

export function cluster({ version, isServed, server }: Facts): Draft {
  if (version.kind === 'Failed')
    return broken(
      'ApiServerUnreachable',
      `the API server at ${server} does not answer: ${version.message}`,
      'kubectl cluster-info',
    );
  const told = version.kind === 'Seen' ? `Kubernetes ${version.value}` : 'Kubernetes';
  if (isServed.kind !== 'Seen') return unseen('the kinds of the cluster', isServed);
  return isServed.value
    ? ok(`${told} serves klingapi.dev/v1alpha1`)
    : broken(
        'CrdMissing',
        'the cluster does not know the kind KlingApi: its CustomResourceDefinition is not installed',
        'helm install kling-operator charts/kling-operator -n kling-system --create-namespace --set image.registry=REGISTRY',
      );
}
