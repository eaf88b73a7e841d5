/** Replies of the API server, parsed where they come in. */
import type { KubernetesObject } from '@kubernetes/client-node';
import { z } from 'zod';
import type { WatchEvent } from './client.ts';
import { codeOf, KubeError } from './errors.ts';
import { parseStatus } from './transport.ts';

export const listSchema = z.object({
  metadata: z
    .object({ resourceVersion: z.string().default(''), continue: z.string().optional() })
    // as the types of client-node call it; empty means that this page is the last
    .transform(({ resourceVersion, continue: token }) => ({
      resourceVersion,
      ...(token === undefined || token === '' ? {} : { _continue: token }),
    })),
  // null where a Go server has none
  items: z
    .array(z.record(z.string(), z.unknown()))
    .nullable()
    .transform((items) => items ?? []),
});

export const discoverySchema = z.object({
  resources: z.array(
    z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean(), verbs: z.array(z.string()) }),
  ),
});

export const versionSchema = z.object({ gitVersion: z.string(), major: z.string(), minor: z.string() });

/** @throws KubeError Malformed */
export function parsed<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new KubeError({
    code: 'Malformed',
    message: `${what} was answered with something else: ${z.prettifyError(result.error)}`,
    cause: result.error,
  });
}

/** @throws KubeError Malformed */
export function parseObject(text: string, what: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new KubeError({ code: 'Malformed', message: `${what} was answered with no JSON`, cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new KubeError({ code: 'Malformed', message: `${what} was answered with no object` });
}

const eventSchema = z.object({
  type: z.enum(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']),
  object: z.looseObject({ metadata: z.looseObject({ resourceVersion: z.string().optional() }).optional() }),
});

function parseEvent(line: string, what: string): WatchEvent {
  const { type, object } = parsed(eventSchema, parseObject(line, what), what);
  if (type === 'ERROR') {
    const { message, reason, code = 500, details } = parseStatus(object);
    throw new KubeError({
      code: codeOf(code, reason),
      message: message ?? `${what} ended with an error`,
      status: code,
      reason,
      details,
    });
  }
  const known: unknown = object;
  // anything with metadata is a KubernetesObject, whose fields are all optional
  return { type, object: known as KubernetesObject };
}

/**
 * The events of a watch, one JSON a line. A last line without its end is dropped: the connection broke within it.
 *
 * @throws KubeError for an ERROR event and for a line that is no event
 */
export async function* watchEvents(
  body: AsyncIterable<unknown>,
  what: string,
  onBytes: (() => void) | undefined,
): AsyncGenerator<WatchEvent, void, undefined> {
  const decoder = new TextDecoder();
  let rest: string[] = [];
  for await (const chunk of body) {
    onBytes?.();
    if (!(chunk instanceof Uint8Array)) continue;
    const lines = decoder.decode(chunk, { stream: true }).split('\n');
    const last = lines.pop() ?? '';
    for (const line of lines) {
      const whole = rest.length === 0 ? line : rest.join('') + line;
      rest = [];
      if (whole.trim() !== '') yield parseEvent(whole, what);
    }
    // joined once at the end of the line: a long object comes in many chunks
    if (last !== '') rest.push(last);
  }
}
