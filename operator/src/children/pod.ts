/** The pieces of a pod that the three workloads share. */
import type {
  V1Container,
  V1EnvVar,
  V1PodSpec,
  V1PodTemplateSpec,
  V1Probe,
  V1Volume,
  V1VolumeMount,
} from '@kubernetes/client-node';
import type { KlingApi } from '../resource/klingapi.ts';
import { type Component, childLabels, childNames, MANAGEMENT_PORT } from '../resource/names.ts';
import type { KlingApiSpec } from '../resource/spec.ts';
import type { ImageSettings } from './child.ts';
import { named } from './revision.ts';

type Workload = KlingApiSpec['mcp'] | KlingApiSpec['api'];

/** Numeric, so that the kubelet can prove that it is not root. */
const USER = 65532;

export const MOUNT = {
  internal: '/etc/klingapi/internal',
  callers: '/etc/klingapi/callers',
  upstream: '/etc/klingapi/upstream',
  headers: '/etc/klingapi/headers',
} as const;

/** Plain settings as environment variables. */
export const environment = (values: Record<string, string | undefined>): V1EnvVar[] =>
  Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));

export const secretVolume = (name: string, secretName: string, items?: { key: string; path: string }[]): V1Volume => ({
  name,
  secret: { secretName, defaultMode: 0o440, ...(items === undefined ? {} : { items }) },
});

export const managementProbe = (
  path: string,
  timing: { periodSeconds: number; timeoutSeconds: number; failureThreshold: number },
): V1Probe => ({
  httpGet: { path, port: MANAGEMENT_PORT, scheme: 'HTTP' },
  successThreshold: 1,
  ...timing,
});

/**
 * What is left while the operator is down: the kubelet restarts a process that answers nothing at all. Ten minutes, so that the
 * whole default budget comes first: five repairs with waits of 10, 20, 40, 80 and 160 s between them and some 20 s each to see the
 * failure take about 410 s. No handshake is asked for here: the kubelet knows neither budget nor cause.
 */
export const FALLBACK = { periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 20 } as const;

/** Container security of the restricted profile; our own images also keep their root filesystem read-only. */
const containerSecurity = (profile: Workload['podSecurity'], ours: boolean): V1Container['securityContext'] => ({
  ...(ours ? { readOnlyRootFilesystem: true } : {}),
  ...(profile === 'Restricted' || ours
    ? {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      }
    : {}),
});

export interface ContainerParts {
  name: string;
  image: string;
  ours: boolean;
  env: V1EnvVar[];
  ports: { name: string; containerPort: number }[];
  mounts: V1VolumeMount[];
  readinessProbe?: V1Probe;
  livenessProbe?: V1Probe;
  /** Limits instead of the usual ones. */
  limits?: Record<string, string>;
}

/** What our own processes need; a server of another make gets no limit that it was never tried under. */
const DEFAULT_REQUESTS = { cpu: '10m', memory: '96Mi' };
const DEFAULT_LIMITS = { memory: '512Mi' };

/** One container: what the release gives, and on top what the resource asks for. */
export function container(parts: ContainerParts, settings: ImageSettings, workload?: Workload): V1Container {
  const wanted = workload?.resources;
  const ownNames = new Set((workload?.env ?? []).map((entry) => entry.name));
  return {
    name: parts.name,
    image: parts.image,
    imagePullPolicy: settings.pullPolicy,
    ...(workload?.command === undefined ? {} : { command: workload.command }),
    ...(workload?.args === undefined ? {} : { args: workload.args }),
    env: [...parts.env.filter((entry) => !ownNames.has(entry.name)), ...((workload?.env ?? []) as V1EnvVar[])],
    ...(workload?.envFrom === undefined ? {} : { envFrom: workload.envFrom as NonNullable<V1Container['envFrom']> }),
    ports: parts.ports.map((port) => ({ ...port, protocol: 'TCP' })),
    resources: {
      requests: wanted?.requests ?? DEFAULT_REQUESTS,
      ...(wanted?.limits === undefined && !parts.ours
        ? {}
        : { limits: wanted?.limits ?? parts.limits ?? DEFAULT_LIMITS }),
    },
    securityContext: containerSecurity(workload?.podSecurity ?? 'Restricted', parts.ours) ?? {},
    ...(parts.readinessProbe === undefined ? {} : { readinessProbe: parts.readinessProbe }),
    ...(parts.livenessProbe === undefined ? {} : { livenessProbe: parts.livenessProbe }),
    volumeMounts: [...parts.mounts, ...((workload?.pod?.volumeMounts ?? []) as V1VolumeMount[])],
  };
}

export interface PodParts {
  component: Component;
  containers: V1Container[];
  volumes: V1Volume[];
  annotations?: Record<string, string>;
  /** The main container is our image, so the pod may say as which user it runs; another image knows its own. */
  ours: boolean;
}

/** A pod template around containers; the labels of children always win over the resource's own. */
export function podTemplate(
  klingApi: KlingApi,
  parts: PodParts,
  settings: ImageSettings,
  workload?: Workload,
): V1PodTemplateSpec {
  const { name } = klingApi.metadata;
  const extras = workload?.pod;
  // a name that comes twice is refused
  const pullSecrets = [
    ...new Set([...(workload?.imagePullSecrets ?? []).map((secret) => secret.name), ...settings.pullSecrets]),
  ].map((secret) => ({ name: secret }));
  const restricted = (workload?.podSecurity ?? 'Restricted') === 'Restricted';
  const spec: V1PodSpec = {
    serviceAccountName: extras?.serviceAccountName ?? childNames(name).serviceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 30,
    securityContext: {
      ...(restricted ? { runAsNonRoot: true } : {}),
      ...(parts.ours ? { runAsUser: USER, runAsGroup: USER } : {}),
      fsGroup: USER,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets }),
    ...(extras?.nodeSelector === undefined ? {} : { nodeSelector: extras.nodeSelector }),
    ...(extras?.tolerations === undefined
      ? {}
      : { tolerations: extras.tolerations as NonNullable<V1PodSpec['tolerations']> }),
    ...(extras?.affinity === undefined ? {} : { affinity: extras.affinity }),
    ...(extras?.topologySpreadConstraints === undefined
      ? {}
      : {
          topologySpreadConstraints: extras.topologySpreadConstraints as unknown as NonNullable<
            V1PodSpec['topologySpreadConstraints']
          >,
        }),
    ...(extras?.priorityClassName === undefined ? {} : { priorityClassName: extras.priorityClassName }),
    containers: parts.containers,
    volumes: [...parts.volumes, ...((extras?.volumes ?? []) as V1Volume[])],
  };
  const annotations = { ...extras?.annotations, ...parts.annotations };
  return named({
    metadata: {
      labels: { ...extras?.labels, ...childLabels(name, parts.component) },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec,
  });
}

/** Room for temporary files beside a read-only root. */
export const TMP: { volume: V1Volume; mount: V1VolumeMount } = {
  volume: { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } },
  mount: { name: 'tmp', mountPath: '/tmp' },
};
