/**
 * What may go into a server-side apply: the API server reads its body as YAML, which refuses some characters even inside a
 * quoted text and folds others as line breaks. One of them in a server's reply would make the whole status be refused.
 */

// C1 controls and DEL, line breaks of YAML, non-characters, halves of surrogate pairs
const UNPRINTABLE = /[\u007F-\u009F\u2028\u2029\uFFFE\uFFFF]|\p{Cs}/gu;

/** The text with a space for each character that YAML does not take as it stands; never longer. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, ' ');

/** A copy with every text in it made printable. */
export function printableAll<T>(value: T): T;
export function printableAll(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map((entry: unknown) => printableAll(entry));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, printableAll(entry)]));
  return value;
}
