/** Of the system, before or during a connection. */
const SYSTEM_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/**
 * Of PostgreSQL: connection exceptions, too many connections, shutdown, crash,
 * start-up. Source: its appendix on error codes.
 */
const SERVER_CODES = /^(08...|53300|57P0[123])$/;
/** The driver gives these no code. */
const DRIVER_WORDS =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;

/** Whether an error means that the database cannot be reached now, and may be later. */
export function isOutage(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isOutage);
  if (!(error instanceof Error)) return false;
  if (
    'code' in error &&
    typeof error.code === 'string' &&
    (SYSTEM_CODES.has(error.code) || SERVER_CODES.test(error.code))
  )
    return true;
  return DRIVER_WORDS.test(error.message);
}
