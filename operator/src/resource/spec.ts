/**
 * `spec` of a KlingApi. Defaults here are the defaults of the CRD; a block whose presence means something has none.
 * Rules ask `has()` even of fields with a default: the API server checks each `default: {}` before it fills in what is below.
 */
import { z } from 'zod';
import { atomicList, cel, int, objectName, quantity, required, secretKeyRef, secretRef, setList } from './bounds.ts';
import { networkPolicy } from './network-policy.ts';
import { workloadFields } from './workload.ts';

const upstream = z
  .object({
    provider: z
      .enum(['Kling', 'Sandbox', 'Custom'])
      .describe(
        'Kling: the vendor; Sandbox: a stand-in without key or cost, started beside; Custom: another Kling-compatible endpoint',
      ),
    region: z
      .enum(['Global', 'China'])
      .default('Global')
      .describe('Which site of the vendor; keys are valid for one of them only'),
    endpoint: required(2048)
      .regex(/^https?:\/\/[^\s/@?#]+(\/[^\s?#]*)?$/)
      .optional()
      .describe('Base URL for provider Custom, such as https://kling.example.com'),
    apiKeySecretRef: secretKeyRef().optional().describe('The API key'),
    accessKeySecretRef: secretKeyRef()
      .optional()
      .describe('The access key of an older account, together with secretKeySecretRef'),
    secretKeySecretRef: secretKeyRef()
      .optional()
      .describe('The secret key of an older account, together with accessKeySecretRef'),
  })
  .meta(
    cel(
      {
        rule: "self.provider == 'Sandbox' || has(self.apiKeySecretRef) || (has(self.accessKeySecretRef) && has(self.secretKeySecretRef))",
        message:
          'providers Kling and Custom need apiKeySecretRef, or accessKeySecretRef with secretKeySecretRef; to try without a key use provider: Sandbox',
        fieldPath: '.apiKeySecretRef',
        reason: 'FieldValueRequired',
      },
      {
        rule: 'has(self.accessKeySecretRef) == has(self.secretKeySecretRef)',
        message: 'accessKeySecretRef and secretKeySecretRef go together: set both or neither',
      },
      {
        rule: '!(has(self.apiKeySecretRef) && has(self.accessKeySecretRef))',
        message: 'apiKeySecretRef and accessKeySecretRef exclude each other: set one',
      },
      {
        rule: "(self.provider == 'Custom') == has(self.endpoint)",
        message: 'endpoint goes with provider Custom, and only with it',
        fieldPath: '.endpoint',
      },
    ),
  );

const sqlite = z.object({
  size: quantity().default('1Gi').describe('Size of the volume claim'),
  storageClassName: objectName().optional().describe("Storage class; the cluster's default without it"),
  reclaim: z.enum(['Retain', 'Delete']).default('Retain').describe('Whether the volume claim outlives this KlingApi'),
});

const api = z
  .object({
    ...workloadFields,
    replicas: int(0, 1).optional().describe('Number of pods; SQLite storage belongs to one pod'),
    storage: z
      .object({ sqlite: sqlite.optional().describe('A file on a volume of its own, for one replica') })
      .optional()
      .describe('Where tasks are kept; without it SQLite on a retained claim of 1Gi'),
    callersSecretRef: secretRef()
      .optional()
      .describe(
        'Secret of the callers: a key a caller, the value its API key or sha256:<hex> of it; read again when it changes. Without it one is made, with one caller named default',
      ),
  })
  .prefault({});

const auth = z
  .object({
    callers: z.object({}).optional().describe('Callers of spec.api.callersSecretRef, by Authorization: Bearer'),
    none: z.object({}).optional().describe('Everybody who reaches the port may spend money'),
  })
  .meta(
    cel({
      rule: '!(has(self.callers) && has(self.none))',
      message: 'callers and none exclude each other: set one',
    }),
  );

const handshake = z
  .object({
    eras: z
      .enum(['Any', 'Modern', 'Legacy', 'Both'])
      .default('Any')
      .describe('Protocol eras the server has to speak: initialize is Legacy, server/discover is Modern'),
    periodSeconds: int(2, 300).default(5).describe('Time between two handshakes with a pod'),
    timeoutSeconds: int(1, 60)
      .default(3)
      .describe('Time a handshake may take; at least one second less than periodSeconds'),
    failureThreshold: int(1, 20).default(3).describe('Handshakes in a row that must fail before a repair'),
    startupGraceSeconds: int(1, 3600)
      .default(60)
      .describe('Time a new container has until its first handshake succeeds'),
    headersSecretRef: secretRef()
      .optional()
      .describe(
        'Secret whose keys are header names and whose values are sent with each handshake, for a server that asks for credentials',
      ),
  })
  .prefault({})
  .meta(
    cel({
      rule: '!has(self.timeoutSeconds) || !has(self.periodSeconds) || self.timeoutSeconds + 1 <= self.periodSeconds',
      message: 'timeoutSeconds must be at least one second less than periodSeconds, or handshakes pile up',
      fieldPath: '.timeoutSeconds',
    }),
  );

/** Without defaults: a stored one would stand beside what a later apply adds. */
const autoscaling = z
  .object({
    min: int(1, 100).describe('Fewest pods'),
    max: int(1, 100).describe('Most pods'),
    cpuPercent: int(1, 1000).describe(
      'CPU that the pods use on average, in percent of what mcp.resources requests; the cluster has to measure it (metrics-server)',
    ),
  })
  .meta(cel({ rule: 'self.min <= self.max', message: 'min must not exceed max', fieldPath: '.min' }));

const mcp = z
  .object({
    ...workloadFields,
    server: z
      .enum(['Kling', 'Other'])
      .optional()
      .describe(
        'Kling: our own server, also mirrored or wrapped; Other: any MCP server over Streamable HTTP. Without it: Kling without image, Other with one',
      ),
    replicas: int(0, 100)
      .optional()
      .describe(
        'Number of pods; 2 at creation without it, and then free for kubectl scale. With autoscaling it counts at creation alone',
      ),
    autoscaling: autoscaling
      .optional()
      .describe('Sets the number of pods by their use of the CPU, instead of replicas'),
    port: int(1, 65535).default(5510).describe('Port the server listens on'),
    path: required(256)
      .regex(/^\/[^\s?#]*$/)
      .default('/mcp/v1')
      .describe('Path of the MCP endpoint'),
    auth: auth.optional().describe('Who may call; callers without it. A server of kind Other guards itself'),
    allowedOrigins: setList(required(256), 32).default([]).describe('Origins of browsers that may call'),
    handshake: handshake.describe('The exchange that proves that a server speaks MCP'),
  })
  .prefault({})
  .meta(
    cel(
      {
        rule: "!has(self.server) || self.server != 'Other' || has(self.image)",
        message: 'server Other needs an image',
        fieldPath: '.image',
        reason: 'FieldValueRequired',
      },
      {
        rule: '!has(self.port) || self.port != 9090',
        message: 'port 9090 is the management port of every pod: let the server listen on another',
        fieldPath: '.port',
      },
    ),
  );

const remediation = z
  .object({
    mode: z
      .enum(['Auto', 'DryRun', 'Off'])
      .default('Auto')
      .describe('Auto repairs; DryRun says what it would do; Off watches'),
    unhealthySeconds: int(0, 3600).default(10).describe('Time a pod must have been failing before a repair'),
    maxConcurrentRepairs: z
      .union([
        z.int().min(1).max(100),
        z
          .string()
          .max(4)
          .regex(/^([1-9][0-9]?|100)%$/),
      ])
      .default(1)
      .meta({ 'x-kubernetes-int-or-string': true })
      .describe('Pods repaired at a time: a number, or a percentage of the pods, rounded up'),
    budget: z
      .object({
        repairs: int(1, 20).default(5).describe('Repairs within the window'),
        windowSeconds: int(60, 86400).default(3600).describe('Length of the window'),
      })
      .prefault({})
      .describe('How often repairs may happen; past it the operator stops and says so (RemediationExhausted)'),
    backoff: z
      .object({
        initialSeconds: int(1, 3600)
          .default(10)
          .describe('Wait after the first repair of an incident; doubles with each'),
        maxSeconds: int(1, 86400).default(300).describe('Longest wait'),
      })
      .prefault({})
      .meta(
        cel({
          rule: '!has(self.initialSeconds) || !has(self.maxSeconds) || self.initialSeconds <= self.maxSeconds',
          message: 'initialSeconds must not exceed maxSeconds',
          fieldPath: '.initialSeconds',
        }),
      )
      .describe('Waits between repairs of one incident'),
    minHealthySeconds: int(1, 86400).default(300).describe('Time all pods must serve before an incident is over'),
    ladder: atomicList(z.enum(['RestartPod', 'RolloutRestart', 'Rollback']), 3)
      .min(1)
      .default(['RestartPod', 'RolloutRestart', 'Rollback'])
      .meta(
        cel({
          rule: 'self.all(rung, self.exists_one(other, other == rung))',
          message: 'each rung may stand in the ladder once',
        }),
      )
      .describe(
        'What is tried, in order: RestartPod deletes the pod, RolloutRestart restarts all pods, Rollback goes back to the verified revision where another one runs. After the last the operator stops and says so (RemediationExhausted)',
      ),
    logExcerpt: z
      .enum(['Matched', 'None'])
      .default('Matched')
      .describe('Whether log lines that match a known signature go into the record, redacted, at most 1 KiB'),
  })
  .prefault({});

const verification = z
  .object({
    image: z
      .enum(['Auto', 'Always', 'Never'])
      .default('Auto')
      .describe(
        'Whether the verification makes a picture: Auto does on the sandbox always, elsewhere once for a new revision',
      ),
    maxPerDay: int(0, 1000).default(24).describe('Pictures that verification may make in 24 hours'),
  })
  .prefault({});

const rollout = z
  .object({
    deadlineSeconds: int(30, 86400)
      .default(300)
      .describe(
        'Time a new revision of the MCP workload has until all its pods pass the handshake; past it the operator goes back to the verified revision and leaves the spec as it is',
      ),
  })
  .prefault({});

export const specSchema = z.object({
  upstream: upstream.describe('Where media are generated'),
  api: api.describe('The REST service, which owns keys, queue and tasks'),
  mcp: mcp.describe('The MCP service, which keeps no state'),
  remediation: remediation.describe('When and how MCP pods are repaired'),
  verification: verification.describe('The three checks after a repair and for a new revision'),
  rollout: rollout.describe('How long a new revision of the MCP workload may take'),
  networkPolicy: networkPolicy.describe('Who may reach the pods, and what they may reach'),
  paused: z.boolean().default(false).describe('Stops every write to children and every repair; status goes on'),
});

export type KlingApiSpec = z.output<typeof specSchema>;
export type Autoscaling = NonNullable<KlingApiSpec['mcp']['autoscaling']>;
export type Rung = KlingApiSpec['remediation']['ladder'][number];
export type Policy = KlingApiSpec['remediation'];
export type HandshakePolicy = KlingApiSpec['mcp']['handshake'];
