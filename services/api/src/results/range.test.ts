import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, rangeOf } from './range.ts';

describe('a Range header', () => {
  it.each([
    [undefined, 'all'],
    ['bytes=0-', { first: 0, last: 9 }],
    ['bytes=2-4', { first: 2, last: 4 }],
    ['bytes=2-400', { first: 2, last: 9 }],
    ['bytes=-3', { first: 7, last: 9 }],
    ['bytes=-30', { first: 0, last: 9 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=4-2', 'all'],
    ['bytes=0-1,3-4', 'all'],
    ['items=0-1', 'all'],
    ['bytes=-', 'all'],
  ] as const)('%s of ten bytes', (header, expected) => {
    expect(rangeOf(header, 10)).toEqual(expected);
  });

  it('never reaches out of the bytes, whatever it says', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.nat(), fc.integer({ min: 0, max: 1e6 }), (text, a, b, bytes) => {
        for (const header of [text, `bytes=${a}-${b}`, `bytes=${a}-`, `bytes=-${b}`]) {
          const range = rangeOf(header, bytes);
          if (typeof range === 'string') continue;
          expect(range.first).toBeGreaterThanOrEqual(0);
          expect(range.first).toBeLessThanOrEqual(range.last);
          expect(range.last).toBeLessThan(bytes);
        }
      }),
    );
  });
});

it('a tag matches among others, weak or strong, and by a star', () => {
  expect(['"a"', 'W/"a"', '"b", "a"', '*'].map((header) => matches(header, '"a"'))).toEqual([true, true, true, true]);
  expect([undefined, '"b"', 'a'].map((header) => matches(header, '"a"'))).toEqual([false, false, false]);
});
