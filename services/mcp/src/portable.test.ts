import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type JsonSchema, portable } from './portable.ts';

it('leaves out what says nothing, and gives each schema one type', () => {
  expect(
    portable({
      type: 'object',
      // names of fields, not keywords
      properties: { type: { type: ['string', 'null'], description: 'a word' }, additionalProperties: {} },
      additionalProperties: {},
      default: { additionalProperties: {}, type: ['a'] },
    }),
  ).toEqual({
    type: 'object',
    properties: {
      type: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'a word' },
      additionalProperties: {},
    },
    default: { additionalProperties: {}, type: ['a'] },
  });
});

it('leaves alone what forbids further fields, or says what they are', () => {
  for (const additionalProperties of [false, true, { type: 'string' }]) {
    expect(portable({ type: 'object', additionalProperties })).toEqual({ type: 'object', additionalProperties });
  }
});

const NAMES = ['a', 'type', 'additionalProperties'] as const;
const TYPES = ['string', 'number', 'boolean', 'null', 'object', 'array'];

const { schema } = fc.letrec<{ schema: JsonSchema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4 },
    fc.record({ type: fc.uniqueArray(fc.constantFrom(...TYPES), { minLength: 1 }), minLength: fc.constant(2) }),
    fc.constantFrom<JsonSchema>({ type: 'string' }, {}, { enum: ['x', 1, null] }),
    fc.record(
      {
        type: fc.constantFrom('object', ['object', 'null']),
        properties: fc.dictionary(fc.constantFrom(...NAMES), tie('schema')),
        additionalProperties: fc.oneof(fc.constant({}), fc.boolean(), tie('schema')),
        required: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 1 }),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record({ type: fc.constantFrom('array', ['array', 'string']), items: tie('schema') }),
    fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('schema') }),
  ),
}));
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>('x', 'long', 1, true, null),
    fc.dictionary(fc.constantFrom(...NAMES, 'other'), tie('value')),
    fc.array(tie('value'), { maxLength: 2 }),
  ),
}));

it('takes the same values as before, with one type a schema at any depth', () => {
  fc.assert(
    fc.property(schema, fc.array(value, { minLength: 10, maxLength: 10 }), (before, values) => {
      const after = portable(before);
      const ajv = new AjvJsonSchemaValidator();
      const [was, is] = [ajv.getValidator(before), ajv.getValidator(after)];
      expect(values.map((each) => is(each).valid)).toEqual(values.map((each) => was(each).valid));
      expect(JSON.stringify(after)).not.toContain('"type":[');
    }),
    { numRuns: 300 },
  );
});
