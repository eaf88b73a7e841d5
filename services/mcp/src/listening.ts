import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { alikeTo } from './memory.ts';
import { within } from './within.ts';

const LISTEN: ReadonlySet<unknown> = new Set(['subscriptions/listen']);
/** Bytes that may wait for a client that does not read: hours of comments, and more events than there ever are. */
const UNREAD = 256 * 1024;
/** It says at once who listens: where it does not, each is left to it alone, within the time of any request. */
const OPEN_MS = 5_000;

export interface ListeningOptions {
  /** Asks the SDK. */
  readonly ask: (headers: IncomingHttpHeaders, message: object) => Promise<Response>;
  /** Characters of the longest request whose stream is shared. */
  readonly longest: number;
  /** Most seconds that a stream is open. */
  readonly maxSeconds: number;
  /** A stream was ended for being open that long. */
  readonly onOverTime: () => void;
}

/** Takes over the response to who asks to listen; false where the SDK has to answer, and nothing was written. */
export type Listening = (
  headers: IncomingHttpHeaders,
  message: unknown,
  response: ServerResponse,
) => Promise<boolean> | false;

/** A stream of the SDK, for all who listen for the same. */
interface Channel {
  /** False when it has ended. */
  join(id: string | number, response: ServerResponse): boolean;
}

interface Listener {
  /** As it stands in JSON. */
  readonly id: string;
  readonly response: ServerResponse;
  /** Milliseconds of the monotonic clock. */
  readonly until: number;
}

/**
 * Who listens holds a stream open for hours that says next to nothing, and each of the SDK's costs 22 KB, most of it for
 * translating between Node's streams and the web's. So clients that ask for the same share one, and each gets every byte
 * of it, with the id of its own request in place of the stream's.
 */
export function createListening(options: ListeningOptions): Listening {
  const channels = new Map<string, Promise<Channel | null>>();

  function open(key: string, headers: IncomingHttpHeaders, message: object): Promise<Channel | null> {
    const forget = (): void => {
      if (channels.get(key) === opening) channels.delete(key);
    };
    const asked = openStream(options.ask, headers, message);
    const opening = within(OPEN_MS, asked)
      .then((opened) => opened && share(opened, { ...options, onEnd: forget }))
      .catch(() => null);
    channels.set(key, opening);
    void opening.then((channel) => {
      if (channel !== null) return;
      forget();
      asked.then((opened) => opened?.rest.cancel()).catch(() => {});
    });
    return opening;
  }

  return (headers, message, response) => {
    const asks = alikeTo(headers, message, LISTEN);
    if (asks === null || asks.key.length > options.longest) return false;
    const opening = channels.get(asks.key) ?? open(asks.key, headers, asks.message);
    return opening.then((channel) => channel?.join(asks.message.id, response) ?? false);
  };
}

/** What the SDK said to a request whose id is `id`, as it stands in JSON. */
interface Opened {
  readonly id: string;
  readonly head: Readonly<Record<string, string>>;
  readonly acknowledgement: string;
  readonly rest: ReadableStreamDefaultReader<Uint8Array>;
  /** What ends a stream. */
  readonly farewell: string;
}

/** null when the SDK lets nobody listen who asks like this. */
async function openStream(
  ask: ListeningOptions['ask'],
  headers: IncomingHttpHeaders,
  message: object,
): Promise<Opened | null> {
  const id = randomUUID();
  // Who listens for nothing is told so and sent away, in the words that end every stream.
  const params = { ...Object(message).params, notifications: {} };
  const [, farewell] = (await (await ask(headers, { ...message, id, params })).text()).split(/(?<=\n\n)/);
  if (farewell === undefined) return null;
  const reply = await ask(headers, { ...message, id });
  const rest = reply.body?.getReader();
  if (rest === undefined) return null;
  const acknowledgement = await next(rest);
  if (acknowledgement === null || reply.headers.get('content-type') !== 'text/event-stream') return null;
  return { id: JSON.stringify(id), head: Object.fromEntries(reply.headers), acknowledgement, rest, farewell };
}

function share(
  { id: own, head, acknowledgement, rest, farewell }: Opened,
  options: ListeningOptions & { onEnd: () => void },
): Channel {
  const { maxSeconds, onOverTime, onEnd } = options;
  /** Who came first stands first, and is the first whose time is over. */
  const listeners = new Set<Listener>();
  let timer: NodeJS.Timeout | undefined;
  let state: 'opened' | 'relaying' | 'ended' = 'opened';

  const say = (text: string, { id, response }: Listener): void => {
    response.write(text.replaceAll(own, () => id));
    if (response.writableLength > UNREAD) response.destroy();
  };

  async function relay(): Promise<void> {
    state = 'relaying';
    for (let text = await next(rest); text !== null; text = await next(rest)) {
      for (const listener of listeners) say(text, listener);
    }
    end();
  }

  function end(): void {
    if (state === 'ended') return;
    state = 'ended';
    onEnd();
    clearTimeout(timer);
    for (const { response } of listeners) response.end();
    listeners.clear();
    rest.cancel().catch(() => {});
  }

  function leave(listener: Listener): void {
    listeners.delete(listener);
    if (listeners.size === 0) end();
  }

  function endOverdue(): void {
    for (const listener of listeners) {
      if (listener.until > performance.now()) break;
      onOverTime();
      say(farewell, listener);
      listener.response.end();
      leave(listener);
    }
    const [first] = listeners;
    if (first !== undefined) timer = setTimeout(endOverdue, Math.max(1, first.until - performance.now()));
  }

  return {
    join(id, response) {
      if (state === 'ended') return false;
      const listener = { id: JSON.stringify(id), response, until: performance.now() + maxSeconds * 1_000 };
      listeners.add(listener);
      timer ??= setTimeout(endOverdue, maxSeconds * 1_000);
      response.writeHead(200, head);
      say(acknowledgement, listener);
      if (response.destroyed) leave(listener);
      else response.once('close', () => leave(listener));
      // Not before somebody is there to be told.
      if (state === 'opened') relay().catch(end);
      return true;
    },
  };
}

/** null at the end. */
async function next(stream: ReadableStreamDefaultReader<Uint8Array>): Promise<string | null> {
  const { value } = await stream.read();
  return value === undefined ? null : Buffer.from(value).toString();
}
