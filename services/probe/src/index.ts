/**
 * The handshake: one exchange that proves that a server speaks MCP.
 *
 * `handshake.ts` decides what to send (`requests.ts`, `leg.ts`), `exchange.ts`
 * puts it on the wire, `reply.ts` and `sse.ts` read the answer, `judge.ts` holds
 * the verdict table, `session.ts` how sessions end. `monitor.ts` makes a history of single handshakes. Two
 * processes stand on it: `cli.ts` (the command, which `kubectl kling` has too) and `main.ts` (the sidecar).
 */
export { runCommand } from './command.ts';
export { createHandshaker, type HandshakeOptions, handshake } from './handshake.ts';
export { createHandshakeMetrics, type HandshakeMetrics } from './metrics.ts';
export { createMonitor, type Monitor, type MonitorOptions } from './monitor.ts';
export { handshakeRoutes } from './readiness.ts';
export { redact } from './redact.ts';
export {
  type Diagnosis,
  diagnosisSchema,
  type Era,
  type EraPolicy,
  type Evidence,
  eraPolicySchema,
  evidenceSchema,
  type HandshakeResult,
  isReady,
  type Phases,
  type ProbeReport,
  probeReportSchema,
  type Server,
  type Verdict,
  verdictSchema,
} from './report.ts';
export { type Sidecar, type SidecarOptions, startSidecar } from './sidecar.ts';
export { FLAGS, usageOf } from './usage.ts';
