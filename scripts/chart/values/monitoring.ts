/** For Prometheus and Grafana. */
import { z } from 'zod';
import { namespaceName } from './names.ts';
import { strings } from './rights.ts';

const duration = z.string().regex(/^([0-9]+(ms|s|m|h|d))+$/);
/** A text too, which `--set` makes of a number with a point. */
const fraction = (from: number, to: number, text: RegExp) =>
  z.union([z.number().min(from).max(to), z.string().regex(text)]);

const thresholds = z
  .strictObject({
    repairsInWindow: z
      .int()
      .min(0)
      .max(64)
      .default(3)
      .describe("Repairs within the budget's window (an hour by default) from which they happen too often."),
    taskFailureRatio: fraction(0, 1, /^(0(\.[0-9]+)?|1)$/)
      .default(0.2)
      .describe('Part of the ended tasks that may fail.'),
    oldestTaskSeconds: z
      .int()
      .min(0)
      .max(604_800)
      .default(900)
      .describe('Age of the oldest task that still waits for room at Kling, in seconds.'),
    unitsPerDay: z
      .number()
      .min(0)
      .default(0)
      .describe('Units that one KlingApi may spend within a day; the alert comes at four fifths of it.'),
  })
  .describe('0 turns the alert of a threshold off.');

export const monitoring = z
  .strictObject({
    serviceMonitor: z.strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe(
          "A ServiceMonitor for the operator itself. Needs the Prometheus operator's kinds, and `service.enabled`.",
        ),
      interval: z
        .union([z.literal(''), duration])
        .default('')
        .describe("Time between two scrapes, for example 30s; Prometheus' own without it."),
      labels: strings
        .default({})
        .describe(
          'Labels by which your Prometheus selects ServiceMonitors, for example { release: kube-prometheus-stack }.',
        ),
    }),
    prometheusRule: z.strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe(
          "A PrometheusRule with the recording rules and alerts of files/rules. Once for each Prometheus is enough for KlingApis; alerts on the operator are on that of this release. Needs the Prometheus operator's kinds.",
        ),
      labels: strings.default({}).describe('Labels by which your Prometheus selects PrometheusRules.'),
      alertLabels: strings.default({}).describe('Labels that each alert gets, for example { team: media }.'),
      runbookUrl: z
        .string()
        .regex(/^(https?:\/\/.+)?$/)
        .default('')
        .describe(
          'Required when enabled: the address under which the pages of docs/runbooks are read; runbook_url is it with /ALERT.md.',
        ),
      objectivePercent: fraction(50, 99.999, /^[5-9][0-9](\.[0-9]{1,3})?$/)
        .default(99.9)
        .describe('How much of 30 days MCP has to be served, in percent.'),
      thresholds,
      alerts: z
        .record(
          z.string(),
          z.strictObject({
            enabled: z.boolean().optional(),
            for: duration.optional(),
            severity: z.string().min(1).optional(),
          }),
        )
        .default({})
        .describe(
          'What is different for single alerts, by name, for example { KlingApiMcpNotServing: { for: 5m, severity: warning }, KlingApiStalled: { enabled: false } }.',
        ),
    }),
    dashboards: z.strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe("A ConfigMap for each Grafana dashboard, for the sidecar that Grafana's chart brings."),
      labels: strings.default({ grafana_dashboard: '1' }).describe('Labels by which the sidecar finds them.'),
      annotations: strings.default({}).describe('Annotations, for example { grafana_folder: Kling }.'),
      namespace: namespaceName.default('').describe("Where the sidecar looks; the release's own namespace when empty."),
    }),
  })
  .describe(
    'For Prometheus and Grafana; see docs/monitoring.md. ServiceMonitors of KlingApis are made by the operator.',
  );
