import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Summary } from './admission.ts';
import { TOOL_NAMES } from './tools/register.ts';

const METHODS = new Set([
  'initialize',
  'notifications/initialized',
  'notifications/cancelled',
  'server/discover',
  'subscriptions/listen',
  'ping',
  'tools/list',
  'tools/call',
  'tasks/get',
  'tasks/cancel',
  'tasks/update',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'completion/complete',
]);
const TOOLS = new Set<string>(TOOL_NAMES);
/** Names of clients that are told apart, first come; there are as many as clients care to make up. */
const CLIENTS = 50;
const CLIENT_NAME = /^[\w .@/:+-]{1,64}$/;

export interface RequestMetrics {
  observe(summary: Summary, status: number, seconds: number): void;
  /** A request was refused or ended because its caller holds too much. */
  limited(limit: 'body' | 'concurrency' | 'time'): void;
  /** Tells how many requests are open, whenever somebody asks. */
  inFlight(count: () => number): void;
  /** Tells whether the API is down, whenever somebody asks. */
  apiDown(isDown: () => boolean): void;
}

/** Counted here and handed over when somebody asks: a look-up by labels for each request costs more than many an answer. */
interface Series {
  readonly labels: Record<'method' | 'tool' | 'era' | 'status', string>;
  /** Since the last look. */
  requests: number;
  readonly duration: Histogram.Internal<'method'>;
}

/** How access tokens and the issuer's keys fare. */
export interface TokenMetrics {
  judged(outcome: 'accepted' | 'refused' | 'unavailable'): void;
  fetched(outcome: 'fetched' | 'failed'): void;
}

export function createTokenMetrics(registry: Registry): TokenMetrics {
  const registers = [registry];
  const tokens = new Counter({
    name: 'klingapi_mcp_access_tokens_total',
    help: 'Access tokens that were judged; unavailable: the issuer could not be asked for its keys.',
    labelNames: ['outcome'],
    registers,
  });
  const fetches = new Counter({
    name: 'klingapi_mcp_issuer_fetches_total',
    help: 'Times that the keys of the issuer were fetched.',
    labelNames: ['outcome'],
    registers,
  });
  return { judged: (outcome) => tokens.inc({ outcome }), fetched: (outcome) => fetches.inc({ outcome }) };
}

/** Requests by what they ask. Clients choose names, so names that are not ours all count as `other`. */
export function createRequestMetrics(registry: Registry): RequestMetrics {
  const registers = [registry];
  const seen = new Map<string, Series>();
  new Counter({
    name: 'klingapi_mcp_requests_total',
    help: 'MCP requests by method, tool, protocol era and HTTP status; 499: the client left before it was answered.',
    labelNames: ['method', 'tool', 'era', 'status'],
    registers,
    collect() {
      for (const series of seen.values()) {
        this.inc(series.labels, series.requests);
        series.requests = 0;
      }
    },
  });
  const durations = new Histogram({
    name: 'klingapi_mcp_request_duration_seconds',
    help: 'Time until the reply to an MCP request was complete.',
    labelNames: ['method'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600],
    registers,
  });
  const begin = (key: string, labels: Series['labels']): Series => {
    const series = { labels, requests: 0, duration: durations.labels(labels.method) };
    seen.set(key, series);
    return series;
  };
  const clients = new Map<string, Map<Summary['era'], number>>();
  new Counter({
    name: 'klingapi_mcp_client_requests_total',
    help: 'MCP requests that say which program asks, by its name; the older era says it in initialize alone. The first 50 names are told apart, the rest is `other`.',
    labelNames: ['client', 'era'],
    registers,
    collect() {
      for (const [client, eras] of clients) {
        for (const [era, requests] of eras) this.inc({ client, era }, requests);
        eras.clear();
      }
    },
  });
  const count = (name: string, era: Summary['era']): void => {
    const isKept = clients.has(name) || (clients.size < CLIENTS && CLIENT_NAME.test(name));
    const client = isKept ? name : 'other';
    const eras = clients.get(client) ?? new Map<Summary['era'], number>();
    clients.set(client, eras.set(era, (eras.get(era) ?? 0) + 1));
  };
  const limited = new Counter({
    name: 'klingapi_mcp_limited_total',
    help: 'Requests that were refused or ended by a limit for each caller.',
    labelNames: ['limit'],
    registers,
  });
  return {
    limited: (limit) => limited.inc({ limit }),
    inFlight(count) {
      new Gauge({
        name: 'klingapi_mcp_requests_in_flight',
        help: 'MCP requests that are open now.',
        registers,
        collect() {
          this.set(count());
        },
      });
    },
    apiDown(isDown) {
      new Gauge({
        name: 'klingapi_mcp_api_down',
        help: '1 after several calls in a row that the API service did not answer, until it answers one; tools fail at once meanwhile.',
        registers,
        collect() {
          this.set(isDown() ? 1 : 0);
        },
      });
    },
    observe({ method: asked, name, client, era }, status, seconds) {
      if (client !== '') count(client, era);
      const method = METHODS.has(asked) ? asked : 'other';
      const tool = method !== 'tools/call' ? '' : TOOLS.has(name) ? name : 'other';
      const key = `${method} ${tool} ${era} ${status}`;
      const series = seen.get(key) ?? begin(key, { method, tool, era, status: String(status) });
      series.requests += 1;
      series.duration.observe(seconds);
    },
  };
}
