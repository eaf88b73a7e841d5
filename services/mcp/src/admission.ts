import type { Identity, Scope } from '@klingapi/identity';
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
  era: 'legacy' | 'modern';
}

/** The few things about a message that this service looks at before the SDK does. */
export function summarise(body: unknown): Summary {
  const { method, params } = fieldsOf(body);
  const { name, _meta } = fieldsOf(params);
  const modern = fieldsOf(_meta)['io.modelcontextprotocol/protocolVersion'] !== undefined;
  return { method: textOf(method), name: textOf(name), era: modern ? 'modern' : 'legacy' };
}

/** None of what is no object. */
function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The scope that a message takes. Batches have no single method and so take `read`; the API checks each call again. */
export function neededScope({ method, name }: Summary): Scope {
  if (HANDSHAKE_METHODS.has(method)) return 'handshake';
  return method === 'tools/call' && CREATING_TOOLS.has(name) ? 'create' : 'read';
}

/** Whoever may read may also handshake, and whoever may create may do all of it. */
export function isAdmitted({ scopes }: Identity, needed: Scope): boolean {
  const enough: Record<Scope, readonly Scope[]> = {
    handshake: ['handshake', 'read', 'create'],
    read: ['read', 'create'],
    create: ['create'],
  };
  return scopes.some((scope) => enough[needed].includes(scope));
}
