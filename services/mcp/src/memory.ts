import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What is answered alike to everybody who asks alike: who the server is, and what there is. */
const METHODS: ReadonlySet<unknown> = new Set([
  'initialize',
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
]);
/** Headers that the SDK reads. */
const READ = ['accept', 'content-type', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id'] as const;
/** No header can hold it, and an empty header is one. */
const ABSENT = '\0';

/** An answer of the SDK with status 200, and a hole where the id of the request stands. */
export interface Remembered {
  readonly headers: Readonly<Record<string, string>>;
  readonly before: Buffer;
  readonly after: string;
}

export interface MemoryOptions {
  /** Asks the SDK. */
  readonly ask: (headers: IncomingHttpHeaders, message: object) => Promise<Response>;
  /** Milliseconds, any origin. */
  readonly now: () => number;
  /** Milliseconds for which an answer is good. */
  readonly freshMs: number;
  /** Most answers that are kept. */
  readonly entries: number;
  /** Characters of the longest request whose answer is kept. */
  readonly longest: number;
}

export interface Memory {
  /**
   * What the SDK answers to the message, from memory or by asking it; null for what it has to answer itself, because
   * that is not the same for everybody, or no answer with status 200.
   */
  recall(headers: IncomingHttpHeaders, message: unknown): Remembered | Promise<Remembered | null> | null;
  /** What there is has changed. */
  forget(): void;
}

/**
 * Answers that depend on the request alone are made by the SDK, and given again for a moment. The whole request is the
 * key, but for its id, so that no judgement of the SDK is repeated here. Only for a moment: a server whose SDK has
 * broken shall not look alive for longer.
 */
export function createMemory({ ask, now, freshMs, entries, longest }: MemoryOptions): Memory {
  let known = new Map<string, { answer: Remembered; until: number }>();
  let asked = new Map<string, Promise<Remembered | null>>();

  async function learn(headers: IncomingHttpHeaders, message: object): Promise<Remembered | null> {
    const id = randomUUID();
    try {
      const response = await ask(headers, { ...message, id });
      const text = await response.text();
      return response.status === 200 ? split(response.headers, text, JSON.stringify(id)) : null;
    } catch {
      // It is asked once more, for its own words.
      return null;
    }
  }

  async function learnOnce(key: string, headers: IncomingHttpHeaders, message: object): Promise<Remembered | null> {
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

  function keep(answers: typeof known, key: string, entry: { answer: Remembered; until: number }): void {
    const [oldest] = answers.keys();
    if (answers.size >= entries && oldest !== undefined) answers.delete(oldest);
    answers.set(key, entry);
  }

  return {
    recall(headers, message) {
      const asks = requestOf(message);
      if (asks === null) return null;
      const key = `${READ.map((name) => headers[name] ?? ABSENT).join('\n')}\n${JSON.stringify({ ...asks, id: null })}`;
      if (key.length > longest) return null;
      const found = known.get(key);
      if (found !== undefined && now() < found.until) return found.answer;
      known.delete(key);
      return asked.get(key) ?? learnOnce(key, headers, asks);
    },
    forget() {
      known = new Map();
      asked = new Map();
    },
  };
}

/** The message as request for one of the methods above, with an id that comes back as it is. */
function requestOf(message: unknown): { id: string | number } | null {
  if (typeof message !== 'object' || message === null || !('method' in message && 'id' in message)) return null;
  const { method, id } = message;
  if (!METHODS.has(method)) return null;
  return typeof id === 'string' || (typeof id === 'number' && Number.isSafeInteger(id)) ? { ...message, id } : null;
}

/** null when the id does not stand in the answer exactly once. */
function split(headers: Headers, text: string, id: string): Remembered | null {
  const [before, after, more] = text.split(id);
  if (before === undefined || after === undefined || more !== undefined) return null;
  return { headers: Object.fromEntries(headers), before: Buffer.from(before), after };
}
