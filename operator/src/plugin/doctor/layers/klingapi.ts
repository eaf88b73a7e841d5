import type { Facts } from '../facts.ts';
import { broken, type Draft, note, ok, unknown, unseen } from '../finding.ts';
import { isAlive } from './operator.ts';

/** An operator that is well looks at a new KlingApi within seconds. */
const UNSEEN_MS = 30_000;

export function klingApi(facts: Facts): Draft {
  const { klingApi: thing, name, namespace, now } = facts;
  if (thing.kind === 'Absent')
    return broken('NotFound', `there is no KlingApi ${name} in namespace ${namespace}`, 'kubectl kling status -A');
  if (thing.kind === 'Unreadable')
    return broken(
      'Unreadable',
      thing.why,
      `kubectl get klingapi ${name} -n ${namespace} -o yaml`,
      'kubectl kling version',
    );
  if (thing.kind !== 'Seen') return unseen(`KlingApi ${name}`, thing);
  const { metadata, spec, status = {} } = thing.value;
  const at = `${name} -n ${namespace}`;
  const condition = (type: string) => status.conditions?.find((entry) => entry.type === type);

  const observed = status.observedGeneration ?? -1;
  const age = metadata.creationTimestamp === undefined ? 0 : now - Date.parse(metadata.creationTimestamp);
  if (observed < 0) {
    const told = 'no operator has looked at it yet';
    if (age < UNSEEN_MS) return note('NotObserved', told, `kubectl kling doctor ${at}`);
    // the layer above has the cause where it is known
    return isAlive(facts)
      ? broken(
          'NotObserved',
          `${told}, although one is ready: it watches other namespaces, or lacks rights here`,
          `kubectl kling logs ${at} --component operator`,
        )
      : unknown('NotObserved', told);
  }
  const accepted = condition('Accepted');
  if (accepted?.status === 'False')
    return broken(
      accepted.reason,
      accepted.message,
      `kubectl get klingapi ${at} -o yaml`,
      `kubectl events -n ${namespace} --for klingapi/${name}`,
    );
  const stalled = condition('Stalled');
  if (stalled?.reason === 'RolledBack')
    return broken(
      'RolledBack',
      stalled.message,
      `kubectl get klingapi ${at} -o jsonpath='{.status.revisions.rejected}'`,
    );
  if (spec.paused)
    return note(
      'Paused',
      'spec.paused is true: nothing is written to children and nothing is repaired',
      `kubectl kling resume ${at}`,
    );
  const exhausted = condition('RemediationExhausted');
  if (exhausted !== undefined)
    return note('RemediationExhausted', exhausted.message, `kubectl kling history ${at}`, `kubectl kling repair ${at}`);
  const storm = condition('StormActive');
  if (storm !== undefined) return note('StormActive', storm.message, 'kubectl kling status -A');
  if (spec.remediation.mode !== 'Auto')
    return note(
      `Mode${spec.remediation.mode}`,
      `spec.remediation.mode is ${spec.remediation.mode}: nothing is repaired by itself`,
      `kubectl patch klingapi ${at} --type=merge -p '{"spec":{"remediation":{"mode":"Auto"}}}'`,
    );
  if (observed < metadata.generation)
    return note(
      'BehindSpec',
      `generation ${metadata.generation} of the spec is newer than what the operator has seen (${observed})`,
      `kubectl kling doctor ${at}`,
    );
  return ok(`accepted, generation ${metadata.generation} is the one that the operator has seen`);
}
