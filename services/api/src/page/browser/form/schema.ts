/** As much of JSON Schema as the requests of this service are told in. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  /** A file fits here, by its address or as Base64. */
  readonly 'x-media'?: 'image' | 'audio' | 'any';
}

/** Which control a value of this schema is given by. */
export type Control = 'media' | 'choice' | 'switch' | 'number' | 'text' | 'list' | 'group' | 'json';

/** Pure. */
export function controlOf(schema: Schema): Control {
  if (schema['x-media'] !== undefined) return 'media';
  if (choicesOf(schema) !== undefined) return 'choice';
  if (schema.type === 'boolean') return 'switch';
  if (schema.type === 'number' || schema.type === 'integer') return 'number';
  if (schema.type === 'string' || schema.anyOf?.some(({ type }) => type === 'string')) return 'text';
  if (schema.type === 'array' && schema.items !== undefined && !isPlain(schema.items)) return 'list';
  if (schema.type === 'object' && Object.keys(schema.properties ?? {}).length > 0) return 'group';
  return 'json';
}

const isPlain = (items: Schema): boolean => !['media', 'group'].includes(controlOf(items));

/** The only values that are taken, where there are few. */
export function choicesOf({ enum: values, anyOf, const: only }: Schema): readonly unknown[] | undefined {
  if (values !== undefined) return values;
  if (only !== undefined) return [only];
  if (anyOf === undefined) return undefined;
  const each = anyOf.map((schema) => {
    if (schema.const !== undefined) return [schema.const];
    const { type, minimum = Number.NaN, maximum = Number.NaN } = schema;
    const many = maximum - minimum + 1;
    return type === 'integer' && many <= 60 ? Array.from({ length: many }, (_, at) => minimum + at) : undefined;
  });
  return each.every((values) => values !== undefined) ? each.flat() : undefined;
}
