import type { V1Pod } from '@kubernetes/client-node';
import { refusalOf } from '../../../observe/workload-trouble.ts';
import { type Diagnosis, isLasting } from '../../../remediation/diagnoses.ts';
import { kubeletFinding, loopMessage, loopOf } from '../../../remediation/kubelet.ts';
import { NO_HANDSHAKES, observePod } from '../../../remediation/observation.ts';
import { isReady } from '../../cluster/pods.ts';
import type { Facts, PodEvent } from '../facts.ts';
import { broken, type Draft, note, ok, unseen } from '../finding.ts';

interface Trouble {
  pod: string;
  diagnosis: Diagnosis;
  message: string;
}

/** A volume that cannot be mounted keeps the container in ContainerCreating; only an Event says why. */
const UNMOUNTED: [RegExp, Diagnosis][] = [
  [/secret "[^"]+" not found|references non-existent secret key/, 'MissingSecret'],
  [/configmap "[^"]+" not found|references non-existent config key/, 'MissingConfigMap'],
];

function unmounted(pod: string, events: readonly PodEvent[]): Trouble | undefined {
  for (const { note: text } of events.filter((event) => event.pod === pod && event.reason === 'FailedMount')) {
    const found = UNMOUNTED.find(([pattern]) => pattern.test(text));
    if (found !== undefined) return { pod, diagnosis: found[1], message: text };
  }
  return undefined;
}

function troubleOf(pod: V1Pod, container: string, events: readonly PodEvent[], now: number): Trouble | undefined {
  const name = pod.metadata?.name ?? '';
  const observed = observePod(pod, container, null, NO_HANDSHAKES);
  if (observed.deleting) return undefined;
  const found = kubeletFinding(observed, now);
  if (found !== undefined)
    return (found.diagnosis === 'Starting' ? unmounted(name, events) : undefined) ?? { pod: name, ...found };
  // between two of its ends it runs, for a moment
  const loop = isReady(pod) ? null : loopOf(observed.container, now);
  return loop === null
    ? undefined
    : { pod: name, diagnosis: loop, message: loopMessage(loop, container, observed.container.lastExit) };
}

const NEXT: Partial<Record<Diagnosis, (pod: string, at: string, container: string) => string>> = {
  CrashLoop: (pod, at, container) => `kubectl logs ${pod} ${at} -c ${container} --previous --tail=50`,
  OutOfMemory: (pod, at, container) => `kubectl logs ${pod} ${at} -c ${container} --previous --tail=50`,
};

/** @param component `mcp` or `api`: also the name of the container */
export function podsFinding(facts: Facts, component: 'mcp' | 'api'): Draft {
  const { namespace, name, now } = facts;
  const { pods, workload } = facts[component];
  if (pods.kind !== 'Seen') return unseen('the pods', pods);
  const at = `-n ${namespace}`;
  const alive = pods.value.filter((pod) => pod.metadata?.deletionTimestamp === undefined);
  const what = component === 'mcp' ? 'MCP' : 'API';
  if (workload.kind === 'Seen') {
    const refused = refusalOf([...workload.value.conditions]);
    if (refused !== null)
      return broken(refused.reason, refused.message, `kubectl describe quota ${at}`, `kubectl events ${at}`);
    if (workload.value.wanted === 0)
      return broken(
        'NoPodWanted',
        `the ${what} workload is scaled to 0`,
        `kubectl get klingapi ${name} ${at} -o jsonpath='{.spec.${component}.replicas}'`,
      );
  }
  if (alive.length === 0) {
    if (workload.kind === 'Absent')
      return broken(
        'WorkloadMissing',
        `the ${what} workload does not exist`,
        `kubectl events ${at} --for klingapi/${name}`,
      );
    return broken('NoPod', `there is no ${what} pod`, `kubectl events ${at}`);
  }
  const events = facts.events.kind === 'Seen' ? facts.events.value : [];
  const troubles = alive.flatMap((pod) => troubleOf(pod, component, events, now) ?? []);
  const worst = troubles.find(({ diagnosis }) => isLasting(diagnosis)) ?? troubles[0];
  if (worst === undefined) {
    const running = alive.length === 1 ? '1 pod runs' : `${alive.length} pods run`;
    return ok(`${running}, ${alive.filter(isReady).length} ready`);
  }
  const seen = `${troubles.length} of ${alive.length} pods: ${worst.pod}: ${worst.message}`;
  if (!isLasting(worst.diagnosis)) return note(worst.diagnosis, seen, `kubectl get pods ${at} -w`);
  return broken(
    worst.diagnosis,
    seen,
    NEXT[worst.diagnosis]?.(worst.pod, at, component) ?? `kubectl describe pod ${worst.pod} ${at}`,
  );
}

export const pods = (facts: Facts): Draft => podsFinding(facts, 'mcp');
