import type { Identity } from '@klingapi/identity';
import { z } from 'zod';

/** What the scope `handshake` may do: show that the server speaks MCP and what it offers, nothing that costs or tells. */
const HANDSHAKE_METHODS = new Set([
  'initialize',
  'notifications/initialized',
  'server/discover',
  'ping',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
]);

const messageSchema = z.object({
  method: z.string(),
  params: z
    .object({
      name: z.string().optional().catch(undefined),
      _meta: z.record(z.string(), z.unknown()).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

export interface Summary {
  /** '' when the body is no single message with a method. */
  method: string;
  /** Name of a tool or prompt, '' without one. */
  name: string;
  era: 'legacy' | 'modern';
}

/** The few things about a message that this service looks at before the SDK does. */
export function summarise(body: unknown): Summary {
  const message = messageSchema.safeParse(body).data;
  const modern = message?.params?._meta?.['io.modelcontextprotocol/protocolVersion'] !== undefined;
  return { method: message?.method ?? '', name: message?.params?.name ?? '', era: modern ? 'modern' : 'legacy' };
}

/** Whether this caller may send this message. Batches have no single method and so are refused to handshakes. */
export function isAdmitted({ scopes }: Identity, { method }: Summary): boolean {
  return scopes.includes('read') || scopes.includes('create') || HANDSHAKE_METHODS.has(method);
}
