import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { readConfigFile } from './config-file.ts';

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
  HOST: z.string().default('0.0.0.0').describe('Address to listen on'),
  MANAGEMENT_PORT: portNumber().default(9090).describe('Port of health and metrics; 0 picks one'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Lines below it are left out'),
  DRAIN_SECONDS: z.coerce
    .number()
    .min(0)
    .max(3600)
    .default(10)
    .describe('How long what has been begun may take to end after SIGTERM'),
};

/** Every name that a configuration file may hold. */
export function settingNames(schema: z.ZodType, files: readonly string[] = []): readonly string[] {
  const own = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  return [...own, ...files.map((name) => `${name}_FILE`)];
}

/**
 * Parses the environment and gives every problem at once, in words that never
 * hold a value (it may be a secret). Empty variables count as absent. What the
 * environment does not say may be in the file that `CONFIG_FILE` names.
 */
export function parseEnvironment<S extends z.ZodType>(
  schema: S,
  env: Environment,
  options: EnvironmentOptions = {},
): ParsedEnvironment<z.output<S>> {
  const problems: string[] = [];
  const readFile = options.readFile ?? ((path: string) => readFileSync(path, 'utf8'));
  const files = options.files ?? [];
  const present: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && value.trim() !== '') present[name] = value;
  }
  /** Where each value that is not of the environment comes from. */
  const sources = new Map<string, string>();
  const shown = (name: string) => (sources.has(name) ? `${name} (in ${sources.get(name)})` : name);

  const configPath = present['CONFIG_FILE'];
  if (configPath !== undefined) {
    const config = readConfigFile(configPath, settingNames(schema, files), readFile);
    problems.push(...config.problems);
    const isSet = new Set(Object.keys(present));
    for (const [name, value] of config.values) {
      // A value and the file that holds it are one setting.
      const twin = name.endsWith('_FILE') ? name.slice(0, -'_FILE'.length) : `${name}_FILE`;
      if (isSet.has(name) || (isSet.has(twin) && settingNames(schema, files).includes(twin))) continue;
      present[name] = value;
      sources.set(name, configPath);
    }
  }
  const unreadable = new Set<string>();
  for (const name of files) {
    const path = present[`${name}_FILE`];
    if (path === undefined) continue;
    if (present[name] !== undefined) {
      problems.push(`${shown(name)}: set it or ${name}_FILE, not both`);
      continue;
    }
    try {
      const content = readFile(path).trim();
      if (content !== '') {
        present[name] = content;
        continue;
      }
      problems.push(`${shown(`${name}_FILE`)}: ${path} is empty`);
    } catch (error) {
      problems.push(`${shown(`${name}_FILE`)}: ${path} cannot be read (${errorCode(error)})`);
    }
    unreadable.add(name);
  }

  const parsed = schema.safeParse(present);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const name = issue.path.join('.');
      // A variable whose file could not be read is told once, as the file's problem.
      if (unreadable.has(name)) continue;
      problems.push(name === '' ? issue.message : `${shown(name)}: ${wording(issue, present[name] === undefined)}`);
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
