import { words } from '../words.ts';
import type { Schema } from './schema.ts';

/** What is wrong with a value, in words, as far as it shows without asking the service. Pure. */
export function problemOf(schema: Schema, value: unknown, required: boolean): string | undefined {
  if (value === undefined || value === '') return required ? words.checks.missing : undefined;
  if (typeof value === 'string') {
    if (schema.maxLength !== undefined && value.length > schema.maxLength) {
      return words.checks.tooLong(value.length, schema.maxLength);
    }
    if (schema.format === 'uri' && !/^(https?:\/\/|upload:)/i.test(value)) return words.checks.address;
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) return words.checks.name;
  }
  if (typeof value === 'number') {
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
    if (value < minimum || value > maximum) return words.checks.range(minimum, maximum);
    if (schema.type === 'integer' && !Number.isInteger(value)) return words.checks.whole;
  }
  return undefined;
}
