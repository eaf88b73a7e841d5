import { z } from 'zod';

/** The year 10000, which dates as text cannot name. */
const END_MS = 253_402_300_800_000;

/** A date with its zone as callers write it; Unix milliseconds inside. */
export const time = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .pipe(z.int().min(0, 'is before 1970').lt(END_MS, 'is after the year 9999'));
