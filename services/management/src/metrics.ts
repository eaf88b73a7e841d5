import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';

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

/** What is told of one answered HTTP request. `route` is the pattern, never the path with its ids. */
export interface AnsweredRequest {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
}

/**
 * Registers `http_requests_total{method,route,status}` and
 * `http_request_duration_seconds{method,route}`.
 *
 * @returns to be called once an answered request
 */
export function createRequestMetrics(registry: Registry): (request: AnsweredRequest) => void {
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Answered HTTP requests',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from a request to the end of its reply',
    labelNames: ['method', 'route'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600],
    registers: [registry],
  });
  return ({ method, route, status, milliseconds }) => {
    requests.inc({ method, route, status: String(status) });
    durations.observe({ method, route }, milliseconds / 1000);
  };
}
