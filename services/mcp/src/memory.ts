import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { fieldsOf } from './fields.ts';
import { within } from './within.ts';

/** Headers that the SDK reads. */
const READ = ['accept', 'content-type', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id'] as const;
/** No header can hold it, and an empty header is one. */
const ABSENT = '\0';

export interface MemoryOptions<Answer> {
  /** What is asked for by other methods is never remembered. */
  readonly methods: ReadonlySet<unknown>;
  /** Asks the SDK. */
  readonly ask: (headers: IncomingHttpHeaders, message: object) => Promise<Response>;
  /** From a reply with status 200, in which the id stands as given; null when it is none to give again. */
  readonly read: (headers: Headers, text: string, id: string) => Answer | null;
  /** Milliseconds, any origin. */
  readonly now: () => number;
  /** Milliseconds for which an answer is good. */
  readonly freshMs: number;
  /** Most answers that are kept. */
  readonly entries: number;
  /** Characters of the longest request whose answer is kept. */
  readonly longest: number;
}

export interface Memory<Answer> {
  /**
   * What the SDK answers to the message, from memory or by asking it; null for what it has to answer itself, because
   * that is not the same for everybody, or no answer with status 200.
   */
  recall(headers: IncomingHttpHeaders, message: unknown): Answer | Promise<Answer | null> | null;
  /** What there is has changed. */
  forget(): void;
}

/**
 * Answers that depend on the request alone are made by the SDK, and given again for a moment. The whole request is the
 * key, but for its id, so that no judgement of the SDK is repeated here. Only for a moment: a server whose SDK has
 * broken shall not look alive for longer.
 */
export function createMemory<Answer>(options: MemoryOptions<Answer>): Memory<Answer> {
  const { methods, ask, read, now, freshMs, entries, longest } = options;
  let known = new Map<string, { answer: Answer; until: number }>();
  let asked = new Map<string, Promise<Answer | null>>();

  async function learn(headers: IncomingHttpHeaders, message: object): Promise<Answer | null> {
    const id = randomUUID();
    const asking = async (): Promise<Answer | null> => {
      const response = await ask(headers, { ...message, id });
      const text = await response.text();
      return response.status === 200 ? read(response.headers, text, JSON.stringify(id)) : null;
    };
    // Where it fails, or takes long, it is asked once more, for its own words.
    return await within(freshMs, asking()).catch(() => null);
  }

  async function learnOnce(key: string, headers: IncomingHttpHeaders, message: object): Promise<Answer | null> {
    const began = now();
    // As they are now: what is learned of before a change is not kept after it.
    const [keptIn, askedIn] = [known, asked];
    const learning = learn(headers, message);
    askedIn.set(key, learning);
    const answer = await learning;
    askedIn.delete(key);
    if (answer !== null) keep(keptIn, key, { answer, until: began + freshMs });
    return answer;
  }

  function keep(answers: typeof known, key: string, entry: { answer: Answer; until: number }): void {
    const [oldest] = answers.keys();
    if (answers.size >= entries && oldest !== undefined) answers.delete(oldest);
    answers.set(key, entry);
  }

  return {
    recall(headers, message) {
      const asks = alikeTo(headers, message, methods);
      if (asks === null || asks.key.length > longest) return null;
      const { key } = asks;
      const found = known.get(key);
      if (found !== undefined && now() < found.until) return found.answer;
      known.delete(key);
      return asked.get(key) ?? learnOnce(key, headers, asks.message);
    },
    forget() {
      known = new Map();
      asked = new Map();
    },
  };
}

export interface Alike {
  /** The same for all requests that the SDK cannot tell apart but by their ids. */
  readonly key: string;
  readonly message: { readonly id: string | number };
}

/** null for what is no request for one of the methods, or not the same for everybody. */
export function alikeTo(headers: IncomingHttpHeaders, message: unknown, methods: ReadonlySet<unknown>): Alike | null {
  const asks = requestOf(message, methods);
  const key = asks === null ? null : keyOf(headers, asks);
  return asks === null || key === null ? null : { key, message: asks };
}

/** null for what is nested so deep that it cannot be written again. */
function keyOf(headers: IncomingHttpHeaders, asks: object): string | null {
  try {
    return `${READ.map((name) => headers[name] ?? ABSENT).join('\n')}\n${JSON.stringify({ ...asks, id: null })}`;
  } catch {
    return null;
  }
}

/** In `params._meta`, and another in each request that has them: what is said of it is not asked for again. */
const PASSING = ['progressToken', 'traceparent', 'tracestate', 'baggage'];

/** The message as request for one of the methods, with an id that comes back as it is. */
function requestOf(message: unknown, methods: ReadonlySet<unknown>): { id: string | number } | null {
  if (typeof message !== 'object' || message === null || !('method' in message && 'id' in message)) return null;
  const { method, id } = message;
  if (!methods.has(method)) return null;
  const meta = fieldsOf('params' in message ? fieldsOf(message.params)['_meta'] : undefined);
  if (PASSING.some((name) => name in meta)) return null;
  return typeof id === 'string' || (typeof id === 'number' && Number.isSafeInteger(id)) ? { ...message, id } : null;
}
