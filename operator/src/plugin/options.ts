/** The flags of all commands, named as kubectl names them, and how a command line is read. */
import { parseArgs } from 'node:util';
import { UsageError } from './errors.ts';
import { parseDuration } from './terminal/duration.ts';

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** Name of the value in the help; the choices where only some are taken. */
  readonly value?: string;
  readonly choices?: readonly string[];
  /** What its value has to be, where not any text will do. */
  readonly is?: 'time' | 'number';
  readonly says: string;
}

export type OptionTable = Readonly<Record<string, Option>>;

/** Which cluster, and as whom. */
export const SHARED = {
  namespace: {
    type: 'string',
    short: 'n',
    value: 'NAMESPACE',
    says: 'Namespace of the KlingApi; that of the context without it',
  },
  context: { type: 'string', value: 'NAME', says: 'Context of the kubeconfig' },
  kubeconfig: { type: 'string', value: 'FILE', says: 'Kubeconfig to use instead of KUBECONFIG or ~/.kube/config' },
  cluster: { type: 'string', value: 'NAME', says: 'Cluster of the kubeconfig' },
  user: { type: 'string', value: 'NAME', says: 'User of the kubeconfig' },
  as: { type: 'string', value: 'NAME', says: 'Name to act as, for those who may impersonate' },
  'request-timeout': {
    type: 'string',
    value: 'TIME',
    is: 'time',
    says: 'Longest time of one request, such as 5s (10s)',
  },
  help: { type: 'boolean', short: 'h', says: 'Print the help of a command' },
} as const satisfies OptionTable;

export const OUTPUT = {
  output: {
    type: 'string',
    short: 'o',
    value: 'json|yaml',
    choices: ['json', 'yaml'],
    says: 'For programs instead of people',
  },
} as const satisfies OptionTable;

export const ALL_NAMESPACES = {
  'all-namespaces': { type: 'boolean', short: 'A', says: 'Those of all namespaces' },
} as const satisfies OptionTable;

export const TIMEOUT = {
  timeout: { type: 'string', value: 'TIME', is: 'time', says: 'How long to wait, such as 90s or 5m (5m)' },
} as const satisfies OptionTable;

type Raw = string | boolean | undefined;

/** What a command line said, asked for by name. */
export class Options {
  readonly positionals: readonly string[];
  readonly #values: Readonly<Record<string, Raw>>;
  readonly #table: OptionTable;

  constructor(table: OptionTable, values: Readonly<Record<string, Raw>>, positionals: readonly string[]) {
    this.#table = table;
    this.#values = values;
    this.positionals = positionals;
  }

  /** An empty value counts as none, as with kubectl: a variable of the shell may not be set. */
  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  has(name: string): boolean {
    return this.#values[name] === true;
  }

  /** @throws UsageError */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.text(name);
    const found = choices.find((choice) => choice === value);
    if (value === undefined || found !== undefined) return found;
    throw new UsageError(`--${name} "${value}" is not known: it is one of ${choices.join(', ')}`);
  }

  /** @returns milliseconds; @throws UsageError */
  duration(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const parsed = parseDuration(value);
    if (parsed === undefined) throw new UsageError(`--${name} "${value}" is no time: write it as 30s, 5m or 1h`);
    return parsed;
  }

  /** @throws UsageError */
  count(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!/^\d{1,9}$/.test(value)) throw new UsageError(`--${name} "${value}" is no number`);
    return Number(value);
  }

  /** Checks every value before anything is done with any of them. @throws UsageError */
  check(): void {
    for (const [name, { choices, is }] of Object.entries(this.#table)) {
      if (choices !== undefined) this.choice(name, choices);
      if (is === 'time') this.duration(name);
      if (is === 'number') this.count(name);
    }
  }
}

/** @throws UsageError that names the option */
export function readOptions(args: readonly string[], table: OptionTable): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(table).map(([name, { type, short }]) => [
          name,
          { type, ...(short === undefined ? {} : { short }) },
        ]),
      ),
    });
    const options = new Options(
      table,
      Object.fromEntries(
        Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? undefined : value] as const),
      ),
      positionals,
    );
    options.check();
    return options;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const [first = ''] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw new UsageError(first);
  }
}

/** Where the name of the command stands: flags and their values may stand before it. */
export function commandAt(args: readonly string[], table: OptionTable): number {
  const { tokens } = parseArgs({
    args: [...args],
    allowPositionals: true,
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(table).map(([name, { type, short }]) => [
        name,
        { type, ...(short === undefined ? {} : { short }) },
      ]),
    ),
  });
  return tokens.find((token) => token.kind === 'positional')?.index ?? -1;
}
