import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseObject, watchEvents } from './reply.ts';

async function* inPieces(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const cut of [...new Set(cuts.map((at) => at % (bytes.length + 1)))].sort((a, b) => a - b)) {
    yield bytes.subarray(from, cut);
    from = cut;
  }
  yield bytes.subarray(from);
}

test('the events are the same wherever the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 5 }),
      fc.array(fc.nat(2_000), { maxLength: 40 }),
      async (notes, cuts) => {
        const sent = notes.map((note) => ({ type: 'ADDED', object: { metadata: { resourceVersion: '1' }, note } }));
        const text = sent.map((event) => `${JSON.stringify(event)}\n`).join('');
        const events = [];
        for await (const event of watchEvents(inPieces(new TextEncoder().encode(text), cuts), 'Watch', undefined))
          events.push(event);
        expect(events).toEqual(sent);
      },
    ),
  );
});

test.each([
  ['no JSON', '<html>\n', 'Malformed', 0],
  ['no event', '{"type":"EXPLODED","object":{}}\n', 'Malformed', 0],
  ['no object', '{"type":"ADDED"}\n', 'Malformed', 0],
  [
    'an expired resourceVersion',
    '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}\n',
    'Gone',
    410,
  ],
  ['an error without a code', '{"type":"ERROR","object":{}}\n', 'ServerError', 500],
])('a line with %s ends the watch', async (_what, line, code, status) => {
  const events = watchEvents(inPieces(new TextEncoder().encode(line), []), 'Watch', undefined);
  await expect(events.next()).rejects.toMatchObject({ code, status });
});

test('a body that is no object is told of without repeating it', () => {
  for (const text of ['', '[]', 'null', '"secret"', '<html>secret']) {
    expect(() => parseObject(text, 'GET /x')).toThrow(/^GET \/x was answered with no (JSON|object)$/);
  }
});
