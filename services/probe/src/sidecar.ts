import { createRegistry, type Management, startManagement } from '@klingapi/management';
import { createHandshaker } from './handshake.ts';
import { readHeadersFolder } from './headers-folder.ts';
import { createHandshakeMetrics } from './metrics.ts';
import { createMonitor } from './monitor.ts';
import { handshakeRoutes } from './readiness.ts';
import type { EraPolicy, HandshakeResult, ProbeReport } from './report.ts';

export interface SidecarOptions {
  url: string;
  hostHeader: string | undefined;
  headersDir: string | undefined;
  eras: EraPolicy;
  timeoutMs: number;
  management: { host: string; port: number };
  /** Told when the verdict or the diagnosis is another than before. */
  onChange?: (report: ProbeReport) => void;
  onError?: (path: string, error: unknown) => void;
}

export interface Sidecar {
  management: Management;
  /** Not ready from now on. */
  drain(): void;
}

/** The management port that answers the kubelet with a handshake of the container beside it. */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  let knownEra: HandshakeResult['era'] = null;
  const handshake = createHandshaker();
  let draining = false;
  let seen = '';
  const registry = createRegistry('probe');
  const metrics = createHandshakeMetrics(registry);

  async function run(): Promise<HandshakeResult> {
    const headers = options.headersDir === undefined ? {} : await readHeadersFolder(options.headersDir);
    const result = await handshake({
      url: options.url,
      eras: options.eras,
      timeoutMs: options.timeoutMs,
      headers,
      knownEra,
      ...(options.hostHeader === undefined ? {} : { hostHeader: options.hostHeader }),
    });
    // A container that was restarted may be of another era, so a failure forgets what was known.
    if (result.verdict === 'Failing' || result.verdict === 'Unreachable') knownEra = null;
    else knownEra = result.era ?? knownEra;
    return result;
  }

  const monitor = createMonitor({
    run,
    now: Date.now,
    onReport(report, tookMs) {
      metrics.observe(report, tookMs);
      const now = `${report.verdict} ${report.diagnosis}`;
      if (now !== seen) options.onChange?.(report);
      seen = now;
    },
  });

  const management = await startManagement({
    ...options.management,
    registry,
    routes: handshakeRoutes(monitor, () => draining),
    ...(options.onError === undefined ? {} : { onError: options.onError }),
  });
  return {
    management,
    drain() {
      draining = true;
    },
  };
}
