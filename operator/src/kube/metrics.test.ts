/** The names and labels that dashboards and alerts are made for: a change here is a change for everybody who has some. */
import { createRegistry } from '@klingapi/management';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { createOperatorMetrics } from '../metrics.ts';
import { createKubeMetrics } from './metrics.ts';

const metricSchema = z.object({ name: z.string(), type: z.string(), labelNames: z.array(z.string()) });

it('are those of the golden file', async () => {
  const registry = createRegistry('operator');
  createKubeMetrics(registry);
  createOperatorMetrics(registry, () => 0);
  const lines = registry
    .getMetricsAsArray()
    .map((metric) => metricSchema.parse(metric))
    .filter(({ name }) => !/^(process|nodejs)_/.test(name))
    .map(({ name, type, labelNames }) => `${type.padEnd(9)} ${name}{${labelNames.join(',')}}`)
    .sort();
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('golden/metrics.golden.txt');
});

/** Source: controller-runtime v0.22, pkg/internal/controller/metrics, pkg/internal/metrics/workqueue.go, pkg/metrics; client-go. */
const CONTROLLER_RUNTIME: Record<string, string[]> = {
  controller_runtime_reconcile_total: ['controller', 'result'],
  controller_runtime_reconcile_errors_total: ['controller'],
  controller_runtime_terminal_reconcile_errors_total: ['controller'],
  controller_runtime_reconcile_panics_total: ['controller'],
  controller_runtime_reconcile_timeouts_total: ['controller'],
  controller_runtime_reconcile_time_seconds: ['controller'],
  controller_runtime_max_concurrent_reconciles: ['controller'],
  controller_runtime_active_workers: ['controller'],
  workqueue_depth: ['name', 'controller', 'priority'],
  workqueue_adds_total: ['name', 'controller'],
  workqueue_queue_duration_seconds: ['name', 'controller'],
  workqueue_work_duration_seconds: ['name', 'controller'],
  workqueue_unfinished_work_seconds: ['name', 'controller'],
  workqueue_longest_running_processor_seconds: ['name', 'controller'],
  workqueue_retries_total: ['name', 'controller'],
  rest_client_requests_total: ['code', 'method', 'host'],
  leader_election_master_status: ['name'],
};

it('of the machinery are those of controller-runtime, and begin at zero where they count failures', async () => {
  const registry = createRegistry('operator');
  const metrics = createKubeMetrics(registry);
  metrics.controller('klingapi');
  const found = Object.fromEntries(
    registry.getMetricsAsArray().map((metric) => {
      const { name, labelNames } = metricSchema.parse(metric);
      return [name, labelNames];
    }),
  );
  for (const [name, labels] of Object.entries(CONTROLLER_RUNTIME))
    expect({ [name]: found[name] }).toEqual({ [name]: labels });
  const text = await registry.metrics();
  for (const result of ['success', 'error', 'requeue', 'requeue_after'])
    expect(text).toContain(
      `controller_runtime_reconcile_total{controller="klingapi",result="${result}",app="operator"} 0`,
    );
});
