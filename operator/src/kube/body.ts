/**
 * The body of a write. The API server reads that of a server-side apply as YAML, which refuses some characters of a quoted
 * text and folds others as line breaks; escaped they are the same in JSON and in YAML. Half of a surrogate pair is in
 * neither, so it becomes U+FFFD.
 */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;
/** An escaped backslash, or the escape that JSON.stringify makes of half a pair. */
const HALF = /\\\\|\\ud[89a-f][0-9a-f]{2}/g;

export const encodeBody = (object: object): string =>
  JSON.stringify(object)
    .replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replace(HALF, (half) => (half === '\\\\' ? half : '\\ufffd'));
