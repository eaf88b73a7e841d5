/** docs/reference/metrics.md: every metric of every process, as its own registry has it. */
import { createRegistry, createRequestMetrics } from '@klingapi/management';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { createKubeMetrics } from '../../operator/src/kube/metrics.ts';
import { createOperatorMetrics } from '../../operator/src/metrics.ts';
import { createLoad, DEFAULT_LOAD_LIMITS } from '../../services/api/src/load/load.ts';
import { registerMetrics } from '../../services/api/src/metrics/metrics.ts';
import type { StoredGauges } from '../../services/api/src/metrics/stored.ts';
import { createRequestMetrics as createMcpMetrics, createTokenMetrics } from '../../services/mcp/src/metrics.ts';
import { createHandshakeMetrics } from '../../services/probe/src/metrics.ts';

const metricSchema = z.object({
  name: z.string(),
  help: z.string(),
  type: z.enum(['counter', 'gauge', 'histogram', 'summary']),
  labelNames: z.array(z.string()),
});
export type Metric = z.output<typeof metricSchema>;

const metricsOf = (registry: Registry): Metric[] =>
  registry
    .getMetricsAsArray()
    .map((metric) => metricSchema.parse(metric))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

const REGISTER: Readonly<Record<string, (registry: Registry) => void>> = {
  operator(registry) {
    createKubeMetrics(registry);
    createOperatorMetrics(registry, () => 0);
  },
  mcp(registry) {
    const metrics = createMcpMetrics(registry);
    metrics.inFlight(() => 0);
    metrics.apiDown(() => false);
    createTokenMetrics(registry);
    createHandshakeMetrics(registry);
  },
  probe: createHandshakeMetrics,
  api(registry) {
    createRequestMetrics(registry);
    // asked only at a scrape
    const store: unknown = {};
    const metrics = registerMetrics(registry);
    metrics.watchStore(store as StoredGauges, Date.now);
    metrics.watchLoad(createLoad(DEFAULT_LOAD_LIMITS, () => 0));
  },
  sandbox: createRequestMetrics,
};

/** By process; those of Node itself, which all of them have, under `every process`. */
export function allMetrics(): Record<string, Metric[]> {
  const own = Object.entries(REGISTER).map(([process, register]) => {
    const registry = new Registry();
    register(registry);
    return [process, metricsOf(registry)];
  });
  return { ...Object.fromEntries(own), 'every process': metricsOf(createRegistry('x')) };
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\.$/, '');

const table = (metrics: readonly Metric[]): string =>
  [
    '| metric | type | labels | meaning |',
    '|---|---|---|---|',
    ...metrics.map(
      ({ name, type, labelNames, help }) =>
        `| \`${name}\` | ${type} | ${labelNames.map((label) => `\`${label}\``).join(', ')} | ${cell(help)} |`,
    ),
  ].join('\n');

export function metricsPage(): string {
  const sections = Object.entries(allMetrics()).map(
    ([process, metrics]) =>
      `## ${process === 'every process' ? 'Every process' : `\`${process}\``}\n\n${table(metrics)}\n`,
  );
  return `<!-- Generated from the registries of the processes by \`npm run generate\`; do not edit. -->
# Metrics

Each process answers \`/metrics\` on its management port (9090) in the Prometheus text format; every series has the label \`app\` with the name of the process. The operator's machinery uses the names of controller-runtime, so dashboards made for it work here too; what is the operator's own begins with \`klingoperator_\`, what belongs to the services with \`klingapi_\`. Durations are in seconds. \`klingapi\` and \`namespace\` name a KlingApi; its series end with it.

**Several replicas of the API.** Gauges of stored tasks and slots are read from the database that all of them share, so each replica tells the whole: aggregate with \`max without (instance, pod)\`. Everything else is of one process: sum it.

**Money.** \`klingapi_charged_…\` and \`klingapi_estimated_…\` are counters of one process since its start. \`increase()\` over them is right across restarts, but for what was charged between the last scrape and a crash. Sums that have to be exact are in \`GET /api/usage/callers\`, which reads the tasks.

${sections.join('\n')}`;
}
