/** The stream of the page: how things stand at once, then what changed, gathered for a moment. Server-sent events. */
import type { ServerResponse } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import type { Clock, Timer } from '../kube/clock.ts';
import type { OperatorView, Summary } from './view.ts';

/** Pages that are open at a time; one more is told to come back. */
export const MOST_STREAMS = 8;
/** What a reader may leave unread before its stream is ended; it comes back and is told everything. */
const MOST_UNREAD_BYTES = 8 * 1024 * 1024;
const GATHER_MS = 300;
/** Also how soon the page learns that another replica acts now. */
const SIGN_OF_LIFE_MS = 5_000;
const RETRY_MS = 2_000;

export interface FeedSource {
  operator(): OperatorView;
  /** Absent while caches are not filled. */
  all(): Summary[] | undefined;
  /** Absent where it is gone. */
  one(uid: string): Summary | undefined;
}

export interface Feed {
  /** @returns false where there are too many already; nothing was sent then */
  follow(response: ServerResponse): boolean;
  /** Something about this KlingApi is new, or it is gone. */
  changed(uid: string): void;
  close(): void;
}

export function createFeed(source: FeedSource, clock: Clock): Feed {
  const streams = new Set<ServerResponse>();
  const dirty = new Set<string>();
  let gathering: Timer | undefined;
  let life: Timer | undefined;
  let operator: OperatorView | undefined;
  let filled = false;

  const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  const send = (text: string): void => {
    for (const stream of streams) {
      if (stream.writableLength > MOST_UNREAD_BYTES) stream.destroy();
      else stream.write(text);
    }
  };
  const fleet = (): string => {
    const all = source.all();
    filled = all !== undefined;
    return all === undefined ? '' : event('fleet', all);
  };
  const flush = (): void => {
    gathering = undefined;
    const uids = [...dirty];
    dirty.clear();
    const found = uids.map((uid) => ({ uid, summary: source.one(uid) }));
    const changed = found.flatMap(({ summary }) => (summary === undefined ? [] : [summary]));
    const gone = found.flatMap(({ uid, summary }) => (summary === undefined ? [uid] : []));
    if (changed.length > 0) send(event('changed', changed));
    if (gone.length > 0) send(event('gone', gone));
  };
  const beat = (): void => {
    life = undefined;
    if (streams.size === 0) return;
    const now = source.operator();
    const news = isDeepStrictEqual(now, operator) ? ': still here\n\n' : event('operator', now);
    operator = now;
    send(filled ? news : news + fleet());
    life = clock.setTimeout(beat, SIGN_OF_LIFE_MS);
  };

  return {
    follow(response) {
      if (streams.size >= MOST_STREAMS) return false;
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      const told = source.operator();
      // the others learn of it with the next sign of life
      if (streams.size === 0) operator = told;
      response.write(`retry: ${RETRY_MS}\n\n${event('operator', told)}${fleet()}`);
      streams.add(response);
      response.once('close', () => streams.delete(response));
      life ??= clock.setTimeout(beat, SIGN_OF_LIFE_MS);
      return true;
    },
    changed(uid) {
      if (streams.size === 0) return;
      dirty.add(uid);
      gathering ??= clock.setTimeout(flush, GATHER_MS);
    },
    close() {
      clock.clearTimeout(gathering);
      clock.clearTimeout(life);
      for (const stream of streams) stream.end();
    },
  };
}
