/** One dispatched event of a `text/event-stream`. */
export interface SseEvent {
  event: string;
  data: string;
}

/**
 * Incremental parser of server-sent events: feed it text in any pieces, get the
 * events that each piece completed. An event that is not closed by an empty line
 * is never dispatched. Source: WHATWG HTML, "Parsing an event stream".
 */
export function createSseParser(): { push(text: string): SseEvent[] } {
  let rest = '';
  /** Characters of `rest` that hold no end of a line: a long line that comes in crumbs is read once, not once a crumb. */
  let searched = 0;
  let first = true;
  let event = '';
  let data: string[] = [];

  function line(text: string, events: SseEvent[]): void {
    if (text === '') {
      if (data.length > 0) events.push({ event: event === '' ? 'message' : event, data: data.join('\n') });
      event = '';
      data = [];
      return;
    }
    const colon = text.indexOf(':');
    const field = colon === -1 ? text : text.slice(0, colon);
    const raw = colon === -1 ? '' : text.slice(colon + 1);
    const value = raw.startsWith(' ') ? raw.slice(1) : raw;
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
  }

  return {
    push(text) {
      const events: SseEvent[] = [];
      if (text === '') return events;
      rest += first && text.startsWith('\uFEFF') ? text.slice(1) : text;
      first = false;
      let start = 0;
      for (;;) {
        const end = lineEnd(rest, searched);
        if (end === null) break;
        line(rest.slice(start, end.at), events);
        start = end.next;
        searched = start;
      }
      rest = rest.slice(start);
      searched = rest.endsWith('\r') ? rest.length - 1 : rest.length;
      return events;
    },
  };
}

/** A CR at the very end waits for the next piece, which may bring the LF that belongs to it. */
function lineEnd(text: string, from: number): { at: number; next: number } | null {
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '\n') return { at, next: at + 1 };
    if (char !== '\r') continue;
    if (at + 1 === text.length) return null;
    return { at, next: text[at + 1] === '\n' ? at + 2 : at + 1 };
  }
  return null;
}
