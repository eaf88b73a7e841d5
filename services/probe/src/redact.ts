const HIDDEN = '[redacted]';

/** Shapes of secrets that servers are known to repeat in error pages. */
const SHAPES: [RegExp, string][] = [
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${HIDDEN}`],
  [/\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?/g, HIDDEN],
  [
    /("?(?:api[-_]?key|access[-_]?key|secret(?:[-_]?key)?|token|password|authorization|cookie)"?\s*[:=]\s*"?)[^\s"',;&}]{4,}/gi,
    `$1${HIDDEN}`,
  ],
];

/**
 * Cuts a text to what may be stored: the given secrets and whatever looks like
 * one are replaced, control characters become spaces.
 * @param secrets values of the headers that were sent
 * @param limit most characters to keep
 */
export function redact(text: string, secrets: readonly string[], limit = 512): string {
  let clean = text;
  for (const secret of pieces(secrets)) clean = clean.replaceAll(secret, HIDDEN);
  for (const [shape, replacement] of SHAPES) clean = clean.replace(shape, replacement);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  clean = clean.replace(/[\u0000-\u001F\u007F]+/g, ' ').trim();
  return clean.length <= limit ? clean : `${clean.slice(0, limit - 1)}…`;
}

/** Whole values and, for `Bearer xyz`, the part that is the secret; longest first so that no tail is left over. */
function pieces(secrets: readonly string[]): string[] {
  const all = secrets.flatMap((secret) => [secret, ...secret.split(/\s+/)]);
  return [...new Set(all)].filter((piece) => piece.length >= 4 && !/^(bearer|basic)$/i.test(piece)).sort(byLength);
}

function byLength(a: string, b: string): number {
  return b.length - a.length;
}
