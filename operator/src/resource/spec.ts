/**
 * `spec` of a KlingApi. Defaults here are the defaults of the CRD; a block whose presence means something has none.
 * Rules ask `has()` even of fields with a default: the API server checks each `default: {}` before it fills in what is below.
 */
import { z } from 'zod';
import { api } from './api.ts';
import { autoscaling } from './autoscaling.ts';
import { atomicList, cel, int, required, secretRef, setList, stringMap } from './bounds.ts';
import { expose } from './expose.ts';
import { networkPolicy } from './network-policy.ts';
import { upstream } from './upstream.ts';
import { workloadFields } from './workload.ts';

const oauth = z.object({
  issuer: required(2048)
    .regex(
      /^(https:\/\/[^\s/@?#]+|http:\/\/(localhost|[-a-z0-9.]+\.svc(\.cluster\.local)?)(:[0-9]{1,5})?)(\/[^\s?#]*)?$/,
    )
    .describe('Issuer of the tokens, as it names itself; https, or http within the cluster (a name that ends in .svc)'),
  audience: required(2048)
    .optional()
    .describe('What a token has to name as its audience; the external address of the MCP endpoint without it'),
  scopes: setList(required(256).regex(/^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/), 32)
    .optional()
    .describe(
      'Scopes of the issuer that count, of which a token needs one: a scope whose last word is read, such as kling:read, lets it read, any other lets it create too. Without it every token may do everything',
    ),
});

const auth = z
  .object({
    callers: z.object({}).optional().describe('Callers of spec.api.callersSecretRef, by Authorization: Bearer'),
    oauth: oauth.optional().describe('Access tokens of an OAuth 2.1 authorization server; needs spec.expose'),
    none: z.object({}).optional().describe('Everybody who reaches the port may spend money'),
  })
  .meta(
    cel({
      rule: '(has(self.callers) ? 1 : 0) + (has(self.oauth) ? 1 : 0) + (has(self.none) ? 1 : 0) <= 1',
      message: 'callers, oauth and none exclude each other: set one',
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
      // no character that means something to a shell: people paste addresses into commands
      .regex(/^\/[A-Za-z0-9._~:@%+,=/-]*$/)
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
      .describe('Auto repairs; DryRun says what it would do; "Off", in quotes, watches'),
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

const monitoring = z
  .object({
    serviceMonitor: z
      .enum(['Auto', 'Enabled', 'Disabled'])
      .default('Auto')
      .describe(
        'ServiceMonitors of the Prometheus operator for API and MCP: Auto makes them where the cluster has that kind, Enabled also says so where it has not',
      ),
    labels: stringMap(16, 63)
      .optional()
      .describe('Labels added to the ServiceMonitors, where a Prometheus selects by them'),
  })
  .prefault({});

const OPEN_BUT_EXPOSED =
  "has(self.networkPolicy) && has(self.networkPolicy.mode) && self.networkPolicy.mode == 'Enabled' && has(self.expose) && (has(self.expose.ingress) || has(self.expose.httpRoute))";

export const specSchema = z
  .object({
    upstream: upstream.describe('Where media are generated'),
    api: api.describe('The REST service, which owns keys, queue and tasks'),
    mcp: mcp.describe('The MCP service, which keeps no state'),
    remediation: remediation.describe('When and how MCP pods are repaired'),
    verification: verification.describe('The three checks after a repair and for a new revision'),
    rollout: rollout.describe('How long a new revision of the MCP workload may take'),
    expose: expose.optional().describe('How the services are reached from outside the cluster'),
    networkPolicy: networkPolicy.describe('Who may reach the pods, and what they may reach'),
    monitoring: monitoring.describe('How metrics are collected'),
    paused: z.boolean().default(false).describe('Stops every write to children and every repair; status goes on'),
  })
  .meta(
    cel(
      {
        rule: `!(${OPEN_BUT_EXPOSED}) || (has(self.networkPolicy.ingressFrom) && size(self.networkPolicy.ingressFrom) > 0)`,
        message:
          'networkPolicy.mode Enabled would shut out the ingress controller or gateway of expose: name its pods in networkPolicy.ingressFrom',
        fieldPath: '.networkPolicy.ingressFrom',
        reason: 'FieldValueRequired',
      },
      {
        rule: '!has(self.mcp) || !has(self.mcp.auth) || !has(self.mcp.auth.oauth) || has(self.expose)',
        message:
          'mcp.auth.oauth tells clients the external address of the server: set expose.url, expose.ingress or expose.httpRoute',
        fieldPath: '.expose',
        reason: 'FieldValueRequired',
      },
    ),
  );

export type KlingApiSpec = z.output<typeof specSchema>;
export type Rung = KlingApiSpec['remediation']['ladder'][number];
export type Policy = KlingApiSpec['remediation'];
export type HandshakePolicy = KlingApiSpec['mcp']['handshake'];
