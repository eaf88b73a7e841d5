/** What the cluster itself says of a pod: rules that need no handshake, for pods of every workload. */
import type { Diagnosis } from './diagnoses.ts';
import type { ContainerState, PodObservation } from './observation.ts';

export interface KubeletFinding {
  diagnosis: Diagnosis;
  message: string;
  /** The container has not started, or not long ago. */
  starting: boolean;
}

/** The kubelet forgets its back-off after so long. */
const LOOP_MS = 600_000;
/** The first start after an exit comes at once: one exit is no loop. */
const LOOP_RESTARTS = 2;

const WAITING: Record<string, Diagnosis> = {
  ErrImagePull: 'ImagePull',
  ImagePullBackOff: 'ImagePull',
  ErrImageNeverPull: 'ImagePull',
  InvalidImageName: 'ImagePull',
  RegistryUnavailable: 'ImagePull',
  ImageInspectError: 'ImagePull',
  CreateContainerConfigError: 'ContainerConfig',
  CreateContainerError: 'ContainerConfig',
  RunContainerError: 'ContainerConfig',
};

/** The kubelet has one reason for all that is wrong with a container's settings; its message tells them apart. */
const CONFIG: [RegExp, Diagnosis][] = [
  [/runAsNonRoot|non-root/i, 'RunAsNonRoot'],
  [/^secret "[^"]*" not found|couldn't find key .* in Secret/, 'MissingSecret'],
  [/^configmap "[^"]*" not found|couldn't find key .* in ConfigMap/, 'MissingConfigMap'],
];

const configDiagnosis = (message: string | null): Diagnosis =>
  CONFIG.find(([pattern]) => pattern.test(message ?? ''))?.[1] ?? 'ContainerConfig';

/** Why the container ends again and again; null where it does not. */
export function loopOf(container: ContainerState, now: number): 'CrashLoop' | 'OutOfMemory' | null {
  const { lastExit, restarts, reason, state } = container;
  const recent = lastExit?.finishedAt == null || now - lastExit.finishedAt < LOOP_MS;
  const ended = state === 'Terminated' || (restarts > 0 && recent);
  if (!ended) return null;
  if (reason === 'OOMKilled' || lastExit?.reason === 'OOMKilled') return 'OutOfMemory';
  return reason === 'CrashLoopBackOff' || restarts >= LOOP_RESTARTS ? 'CrashLoop' : null;
}

/** Without the count, which is another after each restart. */
export const loopMessage = (
  loop: 'CrashLoop' | 'OutOfMemory',
  name: string,
  lastExit: ContainerState['lastExit'],
): string =>
  loop === 'OutOfMemory'
    ? `container ${name} used more memory than its limit and was killed; the kubelet starts it again`
    : `container ${name} ends again and again${lastExit === null ? '' : `, last with exit code ${lastExit.exitCode}`}; the kubelet starts it again, after longer and longer pauses`;

function notRunning(
  name: string,
  container: ContainerState,
  missingSecret: string | null,
  now: number,
): KubeletFinding {
  const { reason, message, state, lastExit } = container;
  const waiting = WAITING[reason ?? ''];
  const exit = lastExit === null ? '' : `, last exit code ${lastExit.exitCode}`;
  const said = message ?? `container ${name} is not running (${reason ?? state}${exit})`;
  if (waiting !== undefined) {
    const diagnosis = waiting === 'ContainerConfig' ? configDiagnosis(message) : waiting;
    return { diagnosis, message: said, starting: true };
  }
  const loop = loopOf(container, now);
  if (loop !== null) {
    return { diagnosis: loop, message: loopMessage(loop, name, lastExit), starting: false };
  }
  // a volume of a Secret that is not there keeps the container in ContainerCreating, and only an Event says why
  if (missingSecret !== null && state !== 'Terminated')
    return { diagnosis: 'MissingSecret', message: missingSecret, starting: true };
  return { diagnosis: 'Starting', message: said, starting: true };
}

/** @returns undefined where the cluster has nothing against the pod: whether it serves is then for others to say */
export function kubeletFinding(pod: PodObservation, now: number): KubeletFinding | undefined {
  if (pod.scheduling !== null) return { diagnosis: 'Unschedulable', message: pod.scheduling.message, starting: true };
  if (pod.nodeLost) {
    const message = `node ${pod.nodeName ?? ''} does not report to the cluster: what is known of the pod is out of date`;
    return { diagnosis: 'NodeNotReady', message, starting: false };
  }
  if (pod.container.state !== 'Running') return notRunning(pod.containerName, pod.container, pod.missingSecret, now);
  if (pod.sidecar !== null && pod.sidecar.state !== 'Running') return notRunning('probe', pod.sidecar, null, now);
  return undefined;
}
