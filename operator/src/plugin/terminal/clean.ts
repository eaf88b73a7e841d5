/** What was written by others (messages, names, Events) before it reaches a terminal: nothing in it may command that terminal. */

const ESCAPE = '\u001b';
/** Those of paint.ts; whoever forges one of them changes a colour and nothing else. */
const OWN_COLOURS = `${ESCAPE}\\[(?:1|22|3[1239]|90)m`;
/** Embeddings, overrides and isolates, which let a text be read in another order than it is written. */
const REORDERING = '\\u202a-\\u202e\\u2066-\\u2069';
const UNSAFE = new RegExp(`(${OWN_COLOURS}|[\\t\\n])|[\\p{Cc}${REORDERING}]`, 'gu');

/** A space for each character that a terminal obeys; line breaks, tabs and our own colours stay. */
export const clean = (text: string): string => text.replace(UNSAFE, (_, own: string | undefined) => own ?? ' ');

const BEYOND_JSON = new RegExp(`[\\u007f-\\u009f${REORDERING}]`, 'gu');

/** JSON escapes some of them by itself; with the others it still says what it said. */
export const escapedInJson = (json: string): string =>
  json.replace(BEYOND_JSON, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
