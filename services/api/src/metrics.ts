import type { KlingClientOptions } from '@klingapi/kling';
import { Gauge, Histogram, type Registry } from 'prom-client';
import type { TaskTable } from './storage/store.ts';
import { stateSchema } from './tasks/task.ts';

/**
 * Registers `klingapi_upstream_seconds{method,path,outcome}` (outcome `ok` or
 * the kind of failure) and `klingapi_tasks{state}`, which counts the stored
 * tasks when it is scraped.
 */
export function registerMetrics(registry: Registry): {
  readonly onExchange: NonNullable<KlingClientOptions['onExchange']>;
  watchStore(store: TaskTable): void;
} {
  const upstream = new Histogram({
    name: 'klingapi_upstream_seconds',
    help: 'Time of one call to Kling',
    labelNames: ['method', 'path', 'outcome'],
    buckets: [0.05, 0.2, 0.5, 1, 2, 5, 15, 60],
    registers: [registry],
  });
  return {
    onExchange: ({ method, path, outcome, milliseconds }) =>
      upstream.observe({ method, path, outcome }, milliseconds / 1000),
    watchStore(store) {
      new Gauge({
        name: 'klingapi_tasks',
        help: 'Stored tasks by state',
        labelNames: ['state'],
        registers: [registry],
        async collect() {
          const counts = await store.counts();
          for (const state of stateSchema.options) this.set({ state }, counts[state] ?? 0);
        },
      });
    },
  };
}
