/** A value as a schema takes it: without what the schema has no place for. */
import type { SchemaNode } from './schema.ts';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What JSON Schema calls it. */
function isOf(type: string | undefined, value: unknown): boolean {
  switch (type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case undefined:
      return true;
    default:
      return typeof value === type;
  }
}

/**
 * A field that the schema does not know is left out, and so is a value that it does not take; with a field that has to be there
 * goes the whole that it belongs to, up to something that may be absent. A text or list that is too long is cut.
 *
 * @returns undefined where nothing of the value can be stored
 */
export function fit(value: unknown, schema: SchemaNode): unknown {
  if (!isOf(schema.type, value)) return undefined;
  if (schema.enum !== undefined && !schema.enum.includes(value)) return undefined;
  if (Array.isArray(value)) return fitList(value, schema);
  if (isObject(value)) return fitObject(value, schema);
  if (typeof value === 'number')
    return value < (schema.minimum ?? value) || value > (schema.maximum ?? value) ? undefined : value;
  // the API server counts code points, which a cut must not halve
  if (typeof value === 'string' && schema.maxLength !== undefined && value.length > schema.maxLength)
    return [...value].slice(0, schema.maxLength).join('');
  return value;
}

function fitList(list: unknown[], { items, maxItems, 'x-kubernetes-list-type': type }: SchemaNode): unknown[] {
  const kept =
    items === undefined ? list : list.map((entry) => fit(entry, items)).filter((entry) => entry !== undefined);
  if (maxItems === undefined || kept.length <= maxItems) return kept;
  // lists that are replaced as one are kept in order of time, the newest last; records have the newest first
  return type === 'atomic' ? kept.slice(-maxItems) : kept.slice(0, maxItems);
}

function fitObject(object: Record<string, unknown>, schema: SchemaNode): Record<string, unknown> | undefined {
  const { properties = {}, additionalProperties, required = [] } = schema;
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties === true;
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const child = known ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    const fitted = child === undefined ? (isOpen ? value : undefined) : fit(value, child);
    if (fitted !== undefined) out[name] = fitted;
    else if (required.includes(name)) return undefined;
  }
  return out;
}
