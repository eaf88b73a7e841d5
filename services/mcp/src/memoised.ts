import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server';

/**
 * The same schema, which makes its JSON Schema once. The SDK asks for it on every
 * `tools/list`, and the conversion is about a third of the work of that request.
 */
export function memoised<Input, Output>(
  schema: StandardSchemaWithJSON<Input, Output>,
): StandardSchemaWithJSON<Input, Output> {
  const standard = schema['~standard'];
  const { input, output } = standard.jsonSchema;
  return {
    '~standard': {
      ...standard,
      jsonSchema: { input: once((options) => input(options)), output: once((options) => output(options)) },
    },
  };
}

function once<Options, Result>(make: (options: Options) => Result): (options: Options) => Result {
  const made = new Map<string, Result>();
  return (options) => {
    const key = JSON.stringify(options);
    const known = made.get(key);
    if (known !== undefined) return known;
    const result = make(options);
    made.set(key, result);
    return result;
  };
}
