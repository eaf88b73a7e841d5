import { collectDefaultMetrics, Registry } from 'prom-client';

/**
 * A registry of its own (never the global one, so that two processes in one
 * test do not share counters), with the metrics of the Node process itself.
 *
 * @param app value of the label `app` on every series
 */
export function createRegistry(app: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ app });
  collectDefaultMetrics({ register: registry });
  return registry;
}
