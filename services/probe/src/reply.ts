import { z } from 'zod';
import { createSseParser } from './sse.ts';

const messageSchema = z.object({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.string(), z.number(), z.null()]).optional(),
  result: z.unknown().optional(),
  error: z.object({ code: z.number(), message: z.string().default(''), data: z.unknown().optional() }).optional(),
});

/** What a body says to one JSON-RPC request. */
export type Reply =
  | { kind: 'result'; result: unknown }
  | { kind: 'error'; code: number; message: string; data: unknown }
  | { kind: 'empty' }
  | { kind: 'wrong'; problem: string };

/** Reads one body piece by piece and finds in it the reply to the request with the given id. */
export interface ReplyReader {
  /** @returns true as soon as the reply is there, so that nobody waits for the end of an open stream */
  push(text: string): boolean;
  /** The reply as far as the text so far tells. */
  reply(): Reply;
}

/** @param contentType of the reply: an event stream or anything else, which is read as one JSON text */
export function createReplyReader(contentType: string | null, id: number): ReplyReader {
  return isEventStream(contentType) ? streamReader(id) : jsonReader(contentType, id);
}

function isEventStream(contentType: string | null): boolean {
  return contentType?.split(';')[0]?.trim().toLowerCase() === 'text/event-stream';
}

function streamReader(id: number): ReplyReader {
  const parser = createSseParser();
  let found: Reply | null = null;
  let wrong: Reply | null = null;
  return {
    push(text) {
      for (const { data } of parser.push(text)) {
        // An event without data is a priming event (resumable streams), not a message.
        if (found !== null || data === '') continue;
        const read = readMessage(data, id);
        if (read.kind === 'wrong') wrong = read;
        else if (read.kind !== 'empty') found = read;
      }
      return found !== null;
    },
    reply: () => found ?? wrong ?? { kind: 'empty' },
  };
}

function jsonReader(contentType: string | null, id: number): ReplyReader {
  let body = '';
  return {
    push(text) {
      body += text;
      return false;
    },
    reply() {
      if (body.trim() === '') return { kind: 'empty' };
      const read = readMessage(body, id);
      if (read.kind === 'empty')
        return { kind: 'wrong', problem: 'a JSON-RPC message that replies to nothing we asked' };
      if (read.kind === 'wrong' && contentType !== null)
        return { kind: 'wrong', problem: `${read.problem} (${contentType})` };
      return read;
    },
  };
}

/** `empty`: a good message that is not the reply, such as a notification. */
function readMessage(text: string, id: number): Reply {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'wrong', problem: 'text that is not JSON' };
  }
  const message = messageSchema.safeParse(value);
  if (!message.success) return { kind: 'wrong', problem: 'JSON that is not JSON-RPC' };
  const { id: replyTo, result, error } = message.data;
  // An error may carry a null id: the server could not read the request it refuses.
  if (error !== undefined && (replyTo === id || replyTo === null || replyTo === undefined)) {
    return { kind: 'error', code: error.code, message: error.message, data: error.data };
  }
  if (replyTo === id && result !== undefined) return { kind: 'result', result };
  return { kind: 'empty' };
}
