/**
 * OpenTelemetry's SDK, sending over OTLP/HTTP. Endpoint, headers and timeouts are the exporter's own business: it reads the
 * standard variables (`OTEL_EXPORTER_OTLP_*`). Imported only where traces are asked for.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { type Context, DiagLogLevel, diag, ROOT_CONTEXT, SpanStatusCode, trace as spans } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { KubeLog } from '../kube/log.ts';
import type { Attributes, Trace, Tracing } from './trace.ts';

export interface OtlpOptions {
  readonly service: string;
  /** Further attributes of the process. */
  readonly resource: Attributes;
  readonly log: KubeLog;
}

const FLUSH_MS = 2_000;

export function startOtlp({ service, resource, log }: OtlpOptions): Tracing {
  const quiet = () => {};
  const tell = (message: string) => log.warn({ reason: message.slice(0, 512) }, 'Traces could not be exported');
  diag.setLogger({ error: tell, warn: tell, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.WARN);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, ...resource }),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  const tracer = provider.getTracer('klingapi.dev/operator');
  const current = new AsyncLocalStorage<Context>();

  const trace: Trace = async (name, attributes, run) => {
    const parent = current.getStore() ?? ROOT_CONTEXT;
    const span = tracer.startSpan(name, { attributes: { ...attributes } }, parent);
    try {
      return await current.run(spans.setSpan(parent, span), () =>
        run({ set: (more) => span.setAttributes({ ...more }) }),
      );
    } catch (error) {
      // the name alone: a message may repeat what was sent
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'unknown' });
      throw error;
    } finally {
      span.end();
    }
  };

  return {
    trace,
    async close() {
      // the exporter tries again for longer than a process that ends has time
      await Promise.race([provider.shutdown().catch((error: unknown) => tell(String(error))), pause(FLUSH_MS)]);
    },
  };
}
