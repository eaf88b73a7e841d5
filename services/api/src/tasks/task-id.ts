import { z } from 'zod';

/** No database takes a NUL, and no id of anybody has control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
export const printable = /^[^\x00-\x1f\x7f]*$/;

/** Ids as callers send them. */
export const taskId = z
  .string()
  .min(1)
  .max(128)
  .regex(printable, 'has control characters')
  .refine((id) => id.isWellFormed(), 'is not well-formed text');
