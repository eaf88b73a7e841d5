import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import { type JsonSchema, portable } from './portable.ts';

/**
 * The same schema, which makes its JSON Schema once, in words that many clients
 * understand. The SDK asks for it on every `tools/list`, and the conversion is
 * about a third of the work of that request.
 */
export function memoised<Input, Output>(
  schema: StandardSchemaWithJSON<Input, Output>,
): StandardSchemaWithJSON<Input, Output> {
  const standard = schema['~standard'];
  const { input, output } = standard.jsonSchema;
  return {
    '~standard': {
      ...standard,
      jsonSchema: {
        input: once((options) => portable(input(options))),
        output: once((options) => portable(output(options))),
      },
    },
  };
}

function once<Options>(make: (options: Options) => JsonSchema): (options: Options) => JsonSchema {
  const made = new Map<string, JsonSchema>();
  return (options) => {
    const key = JSON.stringify(options);
    const known = made.get(key);
    if (known !== undefined) return known;
    const result = make(options);
    made.set(key, result);
    return result;
  };
}
