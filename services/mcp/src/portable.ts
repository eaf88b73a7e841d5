/** A JSON Schema as an object; `true` and `false` are schemas too and stay as they are. */
export type JsonSchema = Record<string, unknown>;

/** Keywords whose value is a schema, a list of schemas, or schemas by name; everything else is data. */
const ONE = new Set(['additionalProperties', 'contains', 'else', 'if', 'items', 'not', 'propertyNames', 'then']);
const LIST = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const NAMED = new Set(['$defs', 'dependentSchemas', 'patternProperties', 'properties']);

/**
 * The same schema in words that more clients understand; it takes exactly the same values.
 * - `additionalProperties: {}` goes, because fields that nobody named are allowed without it.
 * - `type: ['string', 'null']` becomes a choice, because some clients know one type a schema.
 */
export function portable(schema: JsonSchema): JsonSchema {
  const result: JsonSchema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'additionalProperties' && isSchema(value) && Object.keys(value).length === 0) continue;
    if (key === 'type' && Array.isArray(value) && schema['anyOf'] === undefined) {
      result['anyOf'] = value.map((type) => ({ type }));
    } else if (ONE.has(key)) result[key] = inside(value);
    else if (LIST.has(key) && Array.isArray(value)) result[key] = value.map(inside);
    else if (NAMED.has(key) && isSchema(value)) {
      result[key] = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, inside(each)]));
    } else result[key] = value;
  }
  return result;
}

function inside(value: unknown): unknown {
  return isSchema(value) ? portable(value) : value;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
