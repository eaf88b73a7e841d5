/** Values that say how many pods of the operator there are, where, and with what around them. */
import { z } from 'zod';
import { objectName } from './names.ts';
import { strings } from './rights.ts';

/** What Kubernetes defines and checks itself. */
const kubernetes = z.record(z.string(), z.unknown());
const kubernetesList = z.array(kubernetes);
const seconds = z.int().min(1);
/** Its path and port are the chart's. */
const probe = z
  .strictObject({
    initialDelaySeconds: z.int().min(0),
    periodSeconds: seconds,
    timeoutSeconds: seconds,
    successThreshold: z.int().min(1),
    failureThreshold: z.int().min(1),
    terminationGracePeriodSeconds: seconds,
  })
  .partial();

export const replicas = z
  .int()
  .min(0)
  .default(2)
  .describe('One leads and the others stand by; a stand-by takes over within seconds. 1 is enough to try things.');

export const leaderElection = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe(
      'Needed for more than one replica. Without it an upgrade ends the old pod before it starts the new one (Recreate).',
    ),
});

export const podDisruptionBudget = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe('Keeps a drain from evicting all replicas at once; made only for more than one.'),
  maxUnavailable: z
    .union([z.int().min(1), z.string().regex(/^([1-9][0-9]?|100)%$/)])
    .default(1)
    .describe('How many may be missing, as a number or a percentage; at least one, or no node could ever be drained.'),
});

export const rollout = {
  updateStrategy: kubernetes
    .default({})
    .describe("The Deployment's strategy. Without it a new pod is ready before an old one goes."),
  revisionHistoryLimit: z.int().min(0).default(3).describe('Old ReplicaSets that are kept.'),
  terminationGracePeriodSeconds: seconds
    .default(30)
    .describe('Time to hand over and to end; the operator takes two seconds for the first and ten at most for all.'),
};

export const scheduling = {
  spread: z
    .enum(['Preferred', 'Required', 'None'])
    .default('Preferred')
    .describe(
      'Preferred: replicas go to different nodes and zones where they can. Required: to different nodes, or stay Pending. `affinity.podAntiAffinity` goes before it.',
    ),
  affinity: kubernetes.default({}).describe('Affinity of the pods.'),
  topologySpreadConstraints: kubernetesList
    .default([])
    .describe("Topology spread constraints; one without labelSelector gets that of the operator's pods."),
  nodeSelector: strings.default({}).describe('Labels of the nodes.'),
  tolerations: kubernetesList.default([]).describe('Tolerations of the pods.'),
  priorityClassName: objectName
    .default('')
    .describe('Priority class, for example system-cluster-critical, which only kube-system takes everywhere.'),
};

export const container = {
  resources: kubernetes
    .default({ requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '512Mi' } })
    .describe('Requests and limits; the heap takes at most 70 % of the memory limit.'),
  podSecurityContext: kubernetes
    .default({
      runAsNonRoot: true,
      runAsUser: 65_532,
      runAsGroup: 65_532,
      fsGroup: 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    .describe(
      'Of the pod; fits the Pod Security level restricted. On OpenShift set runAsUser, runAsGroup and fsGroup to null: it gives its own.',
    ),
  securityContext: kubernetes
    .default({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    .describe('Of the container.'),
  startupProbe: probe
    .default({ periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 90 })
    .describe(
      'Times of the startup probe; a starved node gets three minutes before liveness counts. The path is fixed, and null leaves the times to Kubernetes.',
    ),
  livenessProbe: probe
    .default({ periodSeconds: 20, timeoutSeconds: 5, failureThreshold: 3 })
    .describe('Times of the liveness probe, likewise.'),
  readinessProbe: probe
    .default({ periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 3 })
    .describe('Times of the readiness probe, likewise.'),
};

export const more = {
  commonLabels: strings.default({}).describe('Labels of everything in the release, the CRD and pods among it.'),
  deploymentAnnotations: strings.default({}).describe('Annotations of the Deployment.'),
  podAnnotations: strings.default({}).describe('Annotations of the pods.'),
  podLabels: strings.default({}).describe('Labels of the pods, beside those of the chart.'),
  extraEnv: z
    .array(z.looseObject({ name: z.string().min(1) }))
    .default([])
    .describe("More variables for the operator's container, as [{ name, value }]. It takes no arguments."),
  extraEnvFrom: kubernetesList.default([]).describe('Secrets and ConfigMaps whose keys become variables.'),
  extraVolumes: kubernetesList.default([]).describe('More volumes, for example with a CA of your own.'),
  extraVolumeMounts: kubernetesList.default([]).describe('Where they are mounted.'),
  extraObjects: z
    .array(z.union([z.string(), kubernetes]))
    .default([])
    .describe(
      'More objects for the release, each as an object or as text; both may hold templates. No KlingApis: Helm knows their kind only after the first install.',
    ),
};
