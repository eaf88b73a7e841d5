import type { Facts } from '../facts.ts';
import { broken, type Draft, note, ok, unseen } from '../finding.ts';

/** What the operator found: it alone knows which definition it was made with. */
function outdated({ klingApi }: Facts): Draft | undefined {
  if (klingApi.kind !== 'Seen') return undefined;
  const found = klingApi.value.status?.conditions?.find(
    ({ type, status }) => type === 'CrdOutdated' && status === 'True',
  );
  return found && note(found.reason, found.message, 'kubectl apply --server-side --force-conflicts -f crds.yaml');
}

export function cluster(facts: Facts): Draft {
  const { version, isServed, server } = facts;
  if (version.kind === 'Failed')
    return broken(
      'ApiServerUnreachable',
      `the API server at ${server} does not answer: ${version.message}`,
      'kubectl cluster-info',
    );
  const told = version.kind === 'Seen' ? `Kubernetes ${version.value}` : 'Kubernetes';
  if (isServed.kind !== 'Seen') return unseen('the kinds of the cluster', isServed);
  return isServed.value
    ? (outdated(facts) ?? ok(`${told} serves klingapi.dev/v1alpha1`))
    : broken(
        'CrdMissing',
        'the cluster does not know the kind KlingApi: its CustomResourceDefinition is not installed',
        'helm install kling-operator charts/kling-operator -n kling-system --create-namespace --set image.registry=REGISTRY',
      );
}
