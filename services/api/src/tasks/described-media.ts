/**
 * What a task tells of a file that came in its request as Base64: no file, but
 * words about it. Without imports, because the page for people reads it too.
 */

/** @param name of the field @param bytes of the file */
export function describeMedium(name: string, bytes: number): string {
  return `(${/sound|audio/.test(name) ? 'sound' : 'picture'} of ${bytes} bytes)`;
}

/** The value without such descriptions; what a list has of them is taken out of it. Pure. */
export function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((each) => !isDescription(each)).map(withoutDescriptions);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => !isDescription(each))
      .map(([name, each]) => [name, withoutDescriptions(each)]),
  );
}

const isDescription = (value: unknown): boolean =>
  typeof value === 'string' && /^\((picture|sound) of \d+ bytes\)$/.test(value);
