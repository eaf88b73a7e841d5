/** The fields that `spec.api` and `spec.mcp` share: image, environment, resources and what goes into the pod. */
import { z } from 'zod';
import {
  atomicList,
  int,
  mapList,
  objectName,
  opaque,
  quantity,
  required,
  secretRef,
  stringMap,
  text,
} from './bounds.ts';

const keyOf = (what: string) =>
  z.object({
    name: objectName().describe(`Name of the ${what}`),
    key: required(253).describe('Key to take'),
    optional: z.boolean().optional().describe(`Whether the ${what} or its key may be missing`),
  });

const envVar = z.object({
  name: required(253).describe('Name of the variable'),
  value: text(32768).optional().describe('Its value'),
  valueFrom: z
    .object({
      secretKeyRef: keyOf('Secret').optional().describe('A key of a Secret'),
      configMapKeyRef: keyOf('ConfigMap').optional().describe('A key of a ConfigMap'),
      fieldRef: z
        .object({ fieldPath: required(253).describe('Path of the field, such as metadata.name') })
        .optional()
        .describe('A field of the pod'),
    })
    .optional()
    .describe('Where the value comes from, instead of value'),
});

const optionalRef = (what: string) =>
  z.object({
    name: objectName().describe(`Name of the ${what}`),
    optional: z.boolean().optional().describe(`Whether the ${what} may be missing`),
  });

const envFromSource = z.object({
  prefix: text(253).optional().describe('Put before each name'),
  secretRef: optionalRef('Secret').optional().describe('Every key of a Secret'),
  configMapRef: optionalRef('ConfigMap').optional().describe('Every key of a ConfigMap'),
});

const resourceList = () => z.record(z.string(), quantity()).meta({ maxProperties: 16 });

const toleration = z.object({
  key: text(317).optional().describe('Taint key'),
  operator: z.enum(['Exists', 'Equal']).optional().describe('How the value is compared'),
  value: text(253).optional().describe('Taint value'),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional().describe('Taint effect'),
  tolerationSeconds: int(0, 2147483647).optional().describe('How long a NoExecute taint is tolerated'),
});

const volumeMount = z.object({
  name: required(63).describe('Name of the volume'),
  mountPath: required(1024).describe('Where it appears in the container'),
  subPath: text(1024).optional().describe('Path within the volume'),
  readOnly: z.boolean().optional().describe('Whether it is mounted read-only'),
});

const podExtras = z.object({
  labels: stringMap(32, 63).optional().describe('Labels added to the pods'),
  annotations: stringMap(32).optional().describe('Annotations added to the pods'),
  nodeSelector: stringMap(32, 63).optional().describe('Labels that a node must have'),
  tolerations: atomicList(toleration, 32).optional().describe('Taints that the pods tolerate'),
  affinity: opaque().optional().describe('Affinity of the pods, as in a pod'),
  topologySpreadConstraints: atomicList(opaque(), 8).optional().describe('How pods spread over nodes, as in a pod'),
  priorityClassName: text(253).optional().describe('Priority class of the pods'),
  serviceAccountName: text(253).optional().describe('Service account to use instead of the one made for this KlingApi'),
  volumes: mapList(opaque().and(z.object({ name: required(63).describe('Name of the volume') })), ['name'], 32)
    .optional()
    .describe('Volumes added to the pods, as in a pod'),
  volumeMounts: mapList(volumeMount, ['mountPath'], 32).optional().describe('Mounts added to the container'),
});

/** Fields shared by both workloads. */
export const workloadFields = {
  image: required(512).optional().describe('Image of the container; the image of this release without it'),
  command: atomicList(text(4096), 64).optional().describe("Replaces the image's entry point"),
  args: atomicList(text(4096), 64).optional().describe('Arguments of the entry point'),
  env: mapList(envVar, ['name'], 128).optional().describe('Environment variables'),
  envFrom: atomicList(envFromSource, 16)
    .optional()
    .describe('Environment variables taken from whole Secrets or ConfigMaps'),
  resources: z
    .object({
      requests: resourceList().optional().describe('What the scheduler sets aside, such as cpu and memory'),
      limits: resourceList().optional().describe('What the container may not exceed'),
    })
    .optional()
    .describe('Requests and limits of the container'),
  imagePullSecrets: mapList(secretRef(), ['name'], 8).optional().describe('Secrets for pulling the image'),
  pod: podExtras.optional().describe('What else goes into the pods'),
  podSecurity: z
    .enum(['Restricted', 'Baseline'])
    .default('Restricted')
    .describe('Pod Security profile the pods keep to; Baseline lets an image run as root'),
};

export type PodExtras = z.output<typeof podExtras>;
export type EnvVar = z.output<typeof envVar>;
