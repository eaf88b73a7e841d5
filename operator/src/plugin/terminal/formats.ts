/** `-o json` and `-o yaml`: the same object for programs. */
import { stringify } from 'yaml';
import { escapedInJson } from './clean.ts';

export type Format = 'json' | 'yaml';

export const formatted = (format: Format, value: object): string =>
  // through JSON, so that what is undefined is left out of both
  format === 'json'
    ? `${escapedInJson(JSON.stringify(value, null, 2))}\n`
    : stringify(JSON.parse(JSON.stringify(value)));
