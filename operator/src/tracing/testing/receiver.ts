/** As much of an OTLP/HTTP collector as takes traces as JSON, on loopback. Source: OpenTelemetry protocol 1.x, OTLP/HTTP. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

const valueSchema = z.looseObject({
  stringValue: z.string().optional(),
  intValue: z.union([z.number(), z.string()]).optional(),
  boolValue: z.boolean().optional(),
});
const attributesSchema = z
  .array(z.object({ key: z.string(), value: valueSchema }))
  .default([])
  .transform((list) =>
    Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue ?? value.boolValue ?? value.intValue])),
  );
const spanSchema = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  attributes: attributesSchema,
  status: z.looseObject({ code: z.number().optional(), message: z.string().optional() }).default({}),
});
const requestSchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: attributesSchema }),
      scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })),
    }),
  ),
});

export type ReceivedSpan = z.output<typeof spanSchema>;

export interface Receiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  readonly spans: readonly ReceivedSpan[];
  /** Attributes of the processes that sent something. */
  readonly resources: readonly Record<string, unknown>[];
  /** Each request as it came. */
  readonly bodies: readonly string[];
  /** A root's names as a tree: `reconcile(apply Deployment, handshake)`; siblings by their names, each once. */
  tree(root: ReceivedSpan): string;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const spans: ReceivedSpan[] = [];
  const resources: Record<string, unknown>[] = [];
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    bodies.push(`${request.method} ${request.url} ${body}`);
    const parsed = requestSchema.safeParse(JSON.parse(body));
    for (const group of parsed.data?.resourceSpans ?? []) {
      resources.push(group.resource.attributes);
      spans.push(...group.scopeSpans.flatMap((scope) => scope.spans));
    }
    response.writeHead(parsed.success ? 200 : 400, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const tree = ({ name, spanId }: ReceivedSpan): string => {
    const children = spans.filter(({ parentSpanId }) => parentSpanId === spanId).map(tree);
    const names = [...new Set(children)].sort();
    return names.length === 0 ? name : `${name}(${names.join(', ')})`;
  };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    spans,
    resources,
    bodies,
    tree,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
