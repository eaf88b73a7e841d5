import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type ProbeReport, verdictSchema } from './report.ts';

export interface HandshakeMetrics {
  /** @param tookMs duration of the handshake that made the report */
  observe(report: ProbeReport, tookMs: number): void;
}

/** The handshakes of one process with one server; the only label is the verdict, so the series are few. */
export function createHandshakeMetrics(registry: Registry): HandshakeMetrics {
  const registers = [registry];
  const total = new Counter({
    name: 'klingapi_handshakes_total',
    help: 'Handshakes by verdict.',
    labelNames: ['verdict'],
    registers,
  });
  const duration = new Histogram({
    name: 'klingapi_handshake_duration_seconds',
    help: 'Duration of handshakes.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const failingSince = new Gauge({
    name: 'klingapi_handshake_failing_since_timestamp_seconds',
    help: 'Unix time of the first handshake in a row that failed; 0 while none fails.',
    registers,
  });
  // Series that appear only with the first failure make rate() miss that failure.
  for (const verdict of verdictSchema.options) total.inc({ verdict }, 0);
  failingSince.set(0);
  return {
    observe(report, tookMs) {
      total.inc({ verdict: report.verdict });
      duration.observe(tookMs / 1000);
      failingSince.set(report.failingSince === null ? 0 : Date.parse(report.failingSince) / 1000);
    },
  };
}
