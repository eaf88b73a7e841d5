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

/** Counted here and handed over when somebody asks: a look-up by labels for each request costs more than its route. */
interface Series {
  readonly status: number;
  readonly labels: Record<'method' | 'route' | 'status', string>;
  /** Since the last look. */
  requests: number;
  readonly duration: Histogram.Internal<'method' | 'route'>;
}

/**
 * Registers `http_requests_total{method,route,status}` and
 * `http_request_duration_seconds{method,route}`.
 *
 * @returns to be called once an answered request
 */
export function createRequestMetrics(registry: Registry): (request: AnsweredRequest) => void {
  /** By route. */
  const seen = new Map<string, Series[]>();
  new Counter({
    name: 'http_requests_total',
    help: 'Answered HTTP requests',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
    collect() {
      for (const series of [...seen.values()].flat()) {
        this.inc(series.labels, series.requests);
        series.requests = 0;
      }
    },
  });
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from a request to the end of its reply',
    labelNames: ['method', 'route'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600],
    registers: [registry],
  });
  const begin = (method: string, route: string, status: number): Series => {
    const labels = { method, route, status: String(status) };
    const series = { status, labels, requests: 0, duration: durations.labels(method, route) };
    seen.set(route, [...(seen.get(route) ?? []), series]);
    return series;
  };
  return ({ method, route, status, milliseconds }) => {
    const known = seen.get(route)?.find((each) => each.status === status && each.labels.method === method);
    const series = known ?? begin(method, route, status);
    series.requests += 1;
    series.duration.observe(milliseconds / 1000);
  };
}
