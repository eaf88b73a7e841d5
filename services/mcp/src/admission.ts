import type { Identity, Scope } from '@klingapi/identity';
import { fieldsOf } from './fields.ts';
import { CREATING_TOOLS } from './tools/register.ts';

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

export interface Summary {
  /** '' when the body is no single message with a method. */
  method: string;
  /** Name of a tool or prompt, '' without one. */
  name: string;
  /** Name of the program that asks, '' where it does not say; the older era says it in `initialize` alone. */
  client: string;
  era: 'legacy' | 'modern';
}

/** The few things about a message that this service looks at before the SDK does. */
export function summarise(body: unknown): Summary {
  const { method, params } = fieldsOf(body);
  const { name, clientInfo, _meta } = fieldsOf(params);
  const envelope = fieldsOf(_meta);
  const modern = envelope['io.modelcontextprotocol/protocolVersion'] !== undefined;
  const client = fieldsOf(modern ? envelope['io.modelcontextprotocol/clientInfo'] : clientInfo)['name'];
  const who = modern || method === 'initialize' ? textOf(client) : '';
  return { method: textOf(method), name: textOf(name), client: who, era: modern ? 'modern' : 'legacy' };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** What messages take; the usage of all callers is told by the API alone. */
export type NeededScope = Exclude<Scope, 'usage'>;

/** The scope that a message takes. Batches have no single method and so take `read`; the API checks each call again. */
export function neededScope({ method, name }: Summary): NeededScope {
  if (HANDSHAKE_METHODS.has(method)) return 'handshake';
  return method === 'tools/call' && CREATING_TOOLS.has(name) ? 'create' : 'read';
}

/** Whoever may read may also handshake, and whoever may create may do all of it. */
export function isAdmitted({ scopes }: Identity, needed: NeededScope): boolean {
  const enough: Record<NeededScope, readonly Scope[]> = {
    handshake: ['handshake', 'read', 'create'],
    read: ['read', 'create'],
    create: ['create'],
  };
  return scopes.some((scope) => enough[needed].includes(scope));
}
