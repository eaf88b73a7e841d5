import { z } from 'zod';

/** The address that a caller wants to be told at; whether it is public is judged apart. */
export const callbackUrl = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .regex(/^[!-~]+$/, 'has spaces, control characters or letters that belong encoded');
