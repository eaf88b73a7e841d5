import {
  type Bindings,
  type ChildLoggerOptions,
  type DestinationStream,
  type Logger,
  pino,
  stdSerializers,
} from 'pino';

export type { Logger } from 'pino';

export interface LoggerOptions {
  /** The process: `api`, `mcp`, `operator` … */
  readonly name: string;
  /** `trace` to `fatal`, or `silent`. */
  readonly level?: string;
  /** Where lines go; standard output when absent. */
  readonly destination?: DestinationStream;
}

const SECRET_FIELDS = new Set([
  'authorization',
  'Authorization',
  'apiKey',
  'accessKey',
  'secretKey',
  'internalKey',
  'token',
  'secret',
  'password',
  'cookie',
]);
const DEPTH = 3;

/** What has a serializer of its own is taken apart by that. */
const SERIALIZED = new Set(['err', 'req', 'res']);

/** A copy in which secrets are replaced. pino's own redaction copies every line for each wildcard. */
function censored(fields: object): Record<string, unknown> {
  const entries = Object.entries(fields);
  return Object.fromEntries(
    entries.map(([field, value]) => [field, SERIALIZED.has(field) ? value : censoredField(field, value, DEPTH - 1)]),
  );
}

/** @returns the value itself where no secret is in it */
function censoredField(name: string, value: unknown, depth: number): unknown {
  if (SECRET_FIELDS.has(name)) return '[redacted]';
  if (typeof value !== 'object' || value === null || depth === 0) return value;
  const entries = Object.entries(value);
  const clean = entries.map(([field, inner]): [string, unknown] => [field, censoredField(field, inner, depth - 1)]);
  if (clean.every(([, inner], at) => inner === entries[at]?.[1])) return value;
  return Array.isArray(value) ? clean.map(([, inner]) => inner) : Object.fromEntries(clean);
}

/**
 * JSON lines, one an event. Fields that hold secrets are replaced wherever they
 * stand within three levels; that is a net below the rule, which is not to log
 * them at all.
 */
export function createLogger({ name, level = 'info', destination }: LoggerOptions): Logger {
  const options = {
    name,
    level,
    base: { name },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: censored,
    },
    serializers: { err: (error: Error) => censored(stdSerializers.err(error)) },
  };
  // Synchronous, because otherwise the last lines before an exit are flushed by a loop that never ends when nobody
  // reads standard output any more: the process would outlive its SIGTERM.
  const logger = pino(options, destination ?? pino.destination({ dest: 1, sync: true }));
  // pino formats the bindings of children no more; they inherit this
  const child: (this: Logger, bindings: Bindings, options?: ChildLoggerOptions) => Logger = logger.child;
  Object.defineProperty(logger, 'child', {
    value(this: Logger, bindings: Bindings, options?: ChildLoggerOptions) {
      return child.call(this, censored(bindings), options);
    },
  });
  return logger;
}
