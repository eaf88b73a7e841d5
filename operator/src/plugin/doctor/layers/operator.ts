import type { V1Pod } from '@kubernetes/client-node';
import { kubeletFinding } from '../../../remediation/kubelet.ts';
import { NO_HANDSHAKES, observePod } from '../../../remediation/observation.ts';
import { span } from '../../terminal/duration.ts';
import type { Facts, OperatorFacts } from '../facts.ts';
import { broken, type Draft, note, ok, unseen } from '../finding.ts';

/** A leader renews every few seconds; after so many terms nobody leads. */
const TERMS = 3;

/** For logs too: of a Deployment kubectl takes one pod, which may be the one that stands by. */
const OURS = '-l app.kubernetes.io/name=kling-operator';
const INSTALL = `kubectl get deployments -A ${OURS}`;

function podTrouble(pods: readonly V1Pod[], now: number): string {
  for (const pod of pods) {
    const found = kubeletFinding(observePod(pod, 'operator', null, NO_HANDSHAKES), now);
    if (found !== undefined) return `; ${pod.metadata?.name}: ${found.diagnosis}: ${found.message}`;
  }
  return '';
}

function one({ deployment, pods, lease }: OperatorFacts, now: number): Draft {
  const { name = '', namespace = '' } = deployment.metadata ?? {};
  const at = `-n ${namespace}`;
  const wanted = deployment.spec?.replicas ?? 1;
  const ready = deployment.status?.readyReplicas ?? 0;
  if (wanted === 0)
    return broken(
      'OperatorScaledToZero',
      `Deployment ${name} in namespace ${namespace} is scaled to 0: nothing is repaired, and no change of a KlingApi is taken up`,
      `kubectl scale deployment/${name} ${at} --replicas=1`,
    );
  if (ready === 0)
    return broken(
      'OperatorNotReady',
      `0 of ${wanted} pods of Deployment ${name} in namespace ${namespace} are ready${pods.kind === 'Seen' ? podTrouble(pods.value, now) : ''}`,
      `kubectl describe pods ${at} ${OURS}`,
      `kubectl logs ${at} ${OURS} --prefix --tail=50`,
    );
  const image = deployment.spec?.template.spec?.containers[0]?.image ?? '';
  const told = `${name} in namespace ${namespace}: ${ready} of ${wanted} ready, ${image}`;
  if (lease.kind !== 'Seen') return ok(told);
  const age = now - lease.value.renewedAt;
  if (age > TERMS * lease.value.durationMs)
    return broken(
      'NobodyLeads',
      `${told}, but nobody leads: ${lease.value.holder || 'nobody'} renewed the Lease ${name} ${span(age)} ago`,
      `kubectl logs ${at} ${OURS} --prefix --tail=50`,
    );
  return ok(`${told}, ${lease.value.holder.split('_')[0]} leads`);
}

export function operator({ operators, now, namespace }: Facts): Draft {
  if (operators.kind !== 'Seen') {
    const hidden = unseen('the operator', operators);
    return { ...hidden, next: ['name its namespace with --operator-namespace, where you may look'] };
  }
  const [first, ...others] = operators.value;
  if (first === undefined)
    return broken(
      'OperatorMissing',
      `no operator looks after namespace ${namespace}: there is none, or it watches other namespaces`,
      INSTALL,
    );
  const found = one(first, now);
  if (found.state !== 'Ok' || others.length === 0) return found;
  return note('SeveralOperators', `${found.seen}; ${others.length} more look after this namespace too`, INSTALL);
}

/** Whether what the status says can be of this moment. */
export const isAlive = (facts: Facts): boolean => {
  const { state } = operator(facts);
  return state === 'Ok' || state === 'Note';
};
