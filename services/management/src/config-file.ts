import { parseDocument, type YAMLParseError } from 'yaml';
import { z } from 'zod';

export interface ConfigFile {
  /** Each as the text that a variable would have. */
  readonly values: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
}

const valueSchema = z.union([z.string(), z.array(z.string()).transform((all) => all.join(','))]);
const fileSchema = z.record(z.string(), z.unknown());

/**
 * Reads YAML or JSON whose keys are names of variables: texts, numbers, true or
 * false, all as they are written there (a secret of 0012345 is not 12345), and lists
 * where a variable takes a comma list.
 *
 * @param known every name that may stand in it
 */
export function readConfigFile(path: string, known: readonly string[], readFile: (path: string) => string): ConfigFile {
  const values = new Map<string, string>();
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return { values, problems: [`CONFIG_FILE: ${path} cannot be read (${code})`] };
  }
  const document = parsed(text);
  if (document === undefined) {
    return { values, problems: [`CONFIG_FILE: ${path} has aliases that lead to too much`] };
  }
  if (document.errors.length > 0) {
    // Not its message, which repeats the line, and that may hold a secret.
    const told = document.errors.map(({ code, linePos }) => `${path}, line ${linePos?.[0].line ?? '?'}: ${code}`);
    return { values, problems: told.map((each) => `CONFIG_FILE: ${each}`) };
  }
  const settings = fileSchema.safeParse(document.value ?? {});
  if (!settings.success) return { values, problems: [`CONFIG_FILE: ${path} holds no names with values`] };

  const problems: string[] = [];
  for (const [name, value] of Object.entries(settings.data)) {
    if (!known.includes(name)) {
      problems.push(`${name} (in ${path}): there is no such setting; the nearest is ${nearest(name, known)}`);
      continue;
    }
    // As an empty variable.
    if (value === null || value === '') continue;
    const accepted = valueSchema.safeParse(value);
    if (accepted.success) values.set(name, accepted.data);
    else problems.push(`${name} (in ${path}): is neither a text, a number, true, false nor a list of these`);
  }
  return { values, problems };
}

/** Undefined when the parser gives up, which it tells of with what may be a secret. */
function parsed(text: string): { readonly errors: readonly YAMLParseError[]; readonly value: unknown } | undefined {
  try {
    const document = parseDocument(text, { schema: 'failsafe', customTags: ['null'] });
    const { errors } = document;
    return { errors, value: errors.length > 0 ? undefined : document.toJS() };
  } catch {
    return undefined;
  }
}

function nearest(name: string, known: readonly string[]): string {
  const wanted = name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');
  const ranked = known.map((each) => [distance(wanted, each), each] as const).sort(([a], [b]) => a - b);
  return ranked[0]?.[1] ?? 'none';
}

/** Levenshtein's: letters to add, drop or swap. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 0; i < a.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const swapped = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(swapped, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
