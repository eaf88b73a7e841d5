import { KLING_CODES, type KlingClientOptions } from '@klingapi/kling';
import { Counter, Histogram, type Registry } from 'prom-client';

export interface UpstreamMetrics {
  readonly onExchange: NonNullable<KlingClientOptions['onExchange']>;
}

/** Calls to Kling, by the pattern of their path. */
export function registerUpstream(registry: Registry): UpstreamMetrics {
  const registers = [registry];
  const duration = new Histogram({
    name: 'klingapi_upstream_seconds',
    help: 'Time of one call to Kling; outcome is ok or the kind of failure',
    labelNames: ['method', 'path', 'outcome'],
    buckets: [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 30, 60],
    registers,
  });
  const errors = new Counter({
    name: 'klingapi_upstream_errors_total',
    help: 'Calls to Kling that failed, by its business code; without one, timeout, network, unavailable or malformed; other for a code that its table does not have',
    labelNames: ['path', 'code'],
    registers,
  });
  return {
    onExchange({ method, path, outcome, code, milliseconds }) {
      duration.observe({ method, path, outcome }, milliseconds / 1000);
      if (outcome === 'ok') return;
      const label = code === null ? outcome : KLING_CODES[code] === undefined ? 'other' : String(code);
      errors.inc({ path, code: label });
    },
  };
}
