import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Exit code of a process whose configuration is wrong (sysexits EX_CONFIG). */
export const EXIT_CONFIG = 78;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentOptions {
  /**
   * Variables that may come from a mounted file: `KLING_API_KEY` here means
   * that `KLING_API_KEY_FILE` names a file whose trimmed content is the value.
   */
  readonly files?: readonly string[];
  readonly readFile?: (path: string) => string;
}

export type ParsedEnvironment<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly string[] };

/** The variables that every process knows; spread into its own `z.object`. */
export const processVariables = {
  HOST: z.string().default('0.0.0.0'),
  MANAGEMENT_PORT: portNumber().default(9090),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  DRAIN_SECONDS: z.coerce.number().min(0).max(3600).default(10),
};

/**
 * Parses the environment and gives every problem at once, in words that never
 * hold a value (it may be a secret). Empty variables count as absent.
 */
export function parseEnvironment<S extends z.ZodType>(
  schema: S,
  env: Environment,
  options: EnvironmentOptions = {},
): ParsedEnvironment<z.output<S>> {
  const problems: string[] = [];
  const present: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && value.trim() !== '') present[name] = value;
  }
  const readFile = options.readFile ?? ((path: string) => readFileSync(path, 'utf8'));
  for (const name of options.files ?? []) {
    const path = present[`${name}_FILE`];
    if (path === undefined) continue;
    if (present[name] !== undefined) {
      problems.push(`${name}: set it or ${name}_FILE, not both`);
      continue;
    }
    try {
      const content = readFile(path).trim();
      if (content === '') problems.push(`${name}_FILE: ${path} is empty`);
      else present[name] = content;
    } catch (error) {
      problems.push(`${name}_FILE: ${path} cannot be read (${errorCode(error)})`);
    }
  }

  const parsed = schema.safeParse(present);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const name = issue.path.join('.');
      // A variable whose file could not be read is told once, as the file's problem.
      if (problems.some((problem) => problem.startsWith(`${name}_FILE:`))) continue;
      problems.push(name === '' ? issue.message : `${name}: ${wording(issue, present[name] === undefined)}`);
    }
  }
  if (!parsed.success || problems.length > 0) return { ok: false, problems };
  return { ok: true, value: parsed.data };
}

/** As {@link parseEnvironment}, but prints the problems to standard error and ends the process with 78. */
export function readEnvironment<S extends z.ZodType>(
  schema: S,
  env: Environment = process.env,
  options: EnvironmentOptions = {},
): z.output<S> {
  const parsed = parseEnvironment(schema, env, options);
  if (parsed.ok) return parsed.value;
  process.stderr.write(`the configuration is wrong:\n${parsed.problems.map((problem) => `  ${problem}\n`).join('')}`);
  process.exit(EXIT_CONFIG);
}

function wording(issue: z.core.$ZodIssue, absent: boolean): string {
  if (absent && issue.code === 'invalid_value') return `required but absent (one of ${issue.values.join(', ')})`;
  if (absent && issue.code === 'invalid_type') return 'required but absent';
  return issue.message;
}

/** A TCP port from text; 0 picks a free one. */
function portNumber() {
  return z.coerce.number().int().min(0).max(65535);
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
}
