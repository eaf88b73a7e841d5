import { z } from 'zod';

/** No database takes a NUL, and no id of anybody has control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
export const printable = /^[^\x00-\x1f\x7f]*$/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const wellFormed = /^[^\x00-\x1f\x7f\p{Cs}]{1,128}$/u;

/** Ids as callers send them. */
export const taskId = z
  .string()
  // One check and not four: ids are read more often than anything else here.
  .refine((id) => wellFormed.test(id), 'must be 1 to 128 characters of well-formed text without control characters')
  // What tools for OpenAPI know of regular expressions does not go as far as lone surrogates.
  .meta({ minLength: 1, maxLength: 128, pattern: printable.source });
