import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export interface LoggerOptions {
  /** The process: `api`, `mcp`, `operator` … */
  readonly name: string;
  /** `trace` to `fatal`, or `silent`. */
  readonly level?: string;
  /** Where lines go; standard output when absent. */
  readonly destination?: DestinationStream;
}

const SECRET_FIELDS = [
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
];

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
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[redacted]',
    },
  };
  // Synchronous, because otherwise the last lines before an exit are flushed by a loop that never ends when nobody
  // reads standard output any more: the process would outlive its SIGTERM.
  return pino(options, destination ?? pino.destination({ dest: 1, sync: true }));
}
