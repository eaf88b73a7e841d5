import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { encodeBody } from './body.ts';

it('means the same as JSON and as YAML, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const body = encodeBody({ text });
      expect(JSON.parse(body)).toEqual({ text });
      expect(parse(body)).toEqual({ text });
    }),
    { numRuns: 500 },
  );
});

it.each([
  ['a line separator of YAML', 'a\u2028b', '{"text":"a\\u2028b"}'],
  ['a C1 control', 'a\u0085b', '{"text":"a\\u0085b"}'],
  ['half a pair', 'a\ud83db', '{"text":"a\\ufffdb"}'],
  ['a text that only looks like an escape', '\\ud83d', '{"text":"\\\\ud83d"}'],
])('%s is escaped', (_, text, expected) => {
  expect(encodeBody({ text })).toBe(expected);
});
