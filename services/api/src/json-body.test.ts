import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tooMuch as tooMuchIn } from './json-body.ts';

const tooMuch = (json: string) => tooMuchIn(Buffer.from(json));

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? 1 + Object.values(value).reduce((most: number, each) => Math.max(most, depthOf(each)), 0)
    : 0;
const nested = (levels: number, inside: unknown): unknown => (levels === 0 ? inside : [nested(levels - 1, inside)]);
const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('\\', '"', '[', '{', ',', ']', '}') }));
const body = fc.tuple(
  fc.nat(70),
  fc.jsonValue({ stringUnit: fc.constantFrom('\\', '"', '[', '{', ',', ']', '}', 'a') }),
  text,
);

describe('a body', () => {
  it('is too deep by its structure and not by what its texts hold', () => {
    fc.assert(
      fc.property(body, ([levels, inside, words]) => {
        const value = nested(levels, { [words]: [inside, words] });
        const problem = depthOf(value) > 64 ? 'the body is nested deeper than 64' : undefined;
        expect(tooMuch(JSON.stringify(value))).toBe(problem);
        expect(tooMuch(JSON.stringify(value, null, 2))).toBe(problem);
      }),
    );
  });

  it('holds 100000 values at most, of whatever sort', () => {
    for (const each of ['{}', '[]', '1', '"a,b"', 'null']) {
      const most = Array.from({ length: each === '{}' || each === '[]' ? 49_999 : 99_999 }, () => each);
      expect(tooMuch(`[${most.join()}]`), each).toBeUndefined();
      expect(tooMuch(`[${[...most, each].join()}]`), each).toBe('the body holds more than 100000 values');
    }
    const object = `{${Array.from({ length: 100_000 }, (_, at) => `"${at}":0`).join()}}`;
    expect(tooMuch(object)).toBe('the body holds more than 100000 values');
  });

  it.each(['"', '"\\', '"a\\"', '{"a":"b', ']]]]', ''])('%s that is no JSON is left to the parser', (broken) => {
    expect(tooMuch(broken)).toBeUndefined();
  });
});
