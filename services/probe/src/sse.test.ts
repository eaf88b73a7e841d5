import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createReplyReader } from './reply.ts';
import { createSseParser, type SseEvent } from './sse.ts';

function parse(pieces: string[]): SseEvent[] {
  const parser = createSseParser();
  return pieces.flatMap((piece) => parser.push(piece));
}

function cut(text: string, at: number[]): string[] {
  const places = [...new Set(at.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((place, index) => text.slice(place, places[index] ?? text.length));
}

const line = fc.stringMatching(/^[^\r\n]*$/).map((text) => text.replaceAll('\uFEFF', ''));
const eol = fc.constantFrom('\n', '\r', '\r\n');
const stream = fc
  .array(
    fc.tuple(
      fc.oneof(
        line,
        line.map((text) => `data: ${text}`),
        fc.constantFrom('', ':', 'event: ping'),
      ),
      eol,
    ),
  )
  .map((lines) => lines.map(([text, end]) => text + end).join(''));

describe('SSE parser', () => {
  it('gives the same events however the stream is cut', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat()), (text, places) => {
        // A CR at the end is only settled by what follows, so both readings get something to follow.
        const whole = `${text}x`;
        expect(parse(cut(whole, places))).toEqual(parse([whole]));
      }),
    );
  });

  it('reads a long line that comes in crumbs without going over it again each time', () => {
    const parser = createSseParser();
    const started = performance.now();
    for (let at = 0; at < 60_000; at += 1) parser.push('x');
    // Quadratic, this held up the event loop for seconds.
    expect(performance.now() - started).toBeLessThan(5000);
    expect(parser.push('\ndata: 1\n\n')).toEqual([{ event: 'message', data: '1' }]);
  });

  it('gives back what was written, for any line ending', () => {
    fc.assert(
      fc.property(fc.array(fc.array(line, { minLength: 1 })), eol, (written, end) => {
        const text = written.map((lines) => `${lines.map((one) => `data: ${one}${end}`).join('')}${end}`).join('');
        expect(parse([`${text}:`]).map((event) => event.data)).toEqual(written.map((lines) => lines.join('\n')));
      }),
    );
  });

  it('never dispatches an event that no empty line closed', () => {
    expect(parse(['data: half'])).toEqual([]);
    expect(parse(['data: half\n'])).toEqual([]);
  });

  it('knows names, comments, missing spaces and a byte order mark', () => {
    expect(parse(['\uFEFF: hello\nevent:ping\ndata:1\ndata\n\nid: 7\ndata: 2\n\n'])).toEqual([
      { event: 'ping', data: '1\n' },
      { event: 'message', data: '2' },
    ]);
  });
});

describe('reply reader', () => {
  const reply = '{"jsonrpc":"2.0","id":1,"result":{}}';

  it('finds the reply among other messages, and says so at once', () => {
    const reader = createReplyReader('text/event-stream; charset=utf-8', 1);
    expect(reader.push('id: 1\ndata:\n\ndata: {"jsonrpc":"2.0","method":"notifications/message"}\n\n')).toBe(false);
    expect(reader.reply()).toEqual({ kind: 'empty' });
    expect(reader.push(`data: ${reply}\n\n`)).toBe(true);
    expect(reader.reply()).toEqual({ kind: 'result', result: {} });
  });

  it('never throws, whatever the body is', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('text/event-stream', 'application/json', null), (body, type) => {
        const reader = createReplyReader(type, 1);
        reader.push(type === 'text/event-stream' ? `data: ${body}\n\n` : body);
        expect(['empty', 'wrong']).toContain(reader.reply().kind);
      }),
    );
  });

  it('takes a reply to another request for none', () => {
    const reader = createReplyReader('application/json', 2);
    reader.push(reply);
    expect(reader.reply()).toMatchObject({ kind: 'wrong' });
  });
});
