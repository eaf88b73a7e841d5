/** What goes wrong between this operator and the API server: one class, told apart by `code`. */

export type KubeErrorCode =
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Invalid'
  | 'TooManyRequests'
  | 'ServerError'
  /** The API server answered with another failure. */
  | 'Rejected'
  /** No answer: refused, reset, unknown host, TLS. */
  | 'Unreachable'
  /** No answer within the deadline. */
  | 'Timeout'
  /** The caller's signal ended it. */
  | 'Aborted'
  /** The answer was no JSON, or not what was asked for. */
  | 'Malformed';

export interface KubeErrorInit {
  readonly code: KubeErrorCode;
  readonly message: string;
  readonly status?: number | undefined;
  readonly reason?: string | undefined;
  readonly details?: unknown;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

const RETRYABLE: ReadonlySet<KubeErrorCode> = new Set([
  'Conflict',
  'Gone',
  'TooManyRequests',
  'ServerError',
  'Unreachable',
  'Timeout',
  'Malformed',
]);

export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly code: KubeErrorCode;
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** `reason` of the API server's Status, e.g. `Conflict`, `Expired`; otherwise the code. */
  readonly reason: string;
  /** Whether the same call can succeed later without anything being changed by us. */
  readonly retryable: boolean;
  /** `details` of the API server's Status: causes by field. */
  readonly details: unknown;
  /** What `Retry-After` asked for, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(init: KubeErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    this.status = init.status ?? 0;
    this.reason = init.reason ?? init.code;
    this.retryable = RETRYABLE.has(init.code);
    this.details = init.details;
    this.retryAfterMs = init.retryAfterMs;
  }
}

/** Thrown by a reconcile whose trouble no retry can end: it waits for a change of the object. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  readonly code = 'Terminal';
  readonly retryable = false;
}

const BY_STATUS: ReadonlyMap<number, KubeErrorCode> = new Map([
  [400, 'BadRequest'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [422, 'Invalid'],
  [429, 'TooManyRequests'],
]);

/** @param status HTTP status; @param reason that of the Status body, where there was one */
export function codeOf(status: number, reason: string | undefined): KubeErrorCode {
  if (reason === 'AlreadyExists') return 'AlreadyExists';
  return BY_STATUS.get(status) ?? (status >= 500 ? 'ServerError' : 'Rejected');
}

const hasStatus = (error: unknown, status: number): boolean => error instanceof KubeError && error.status === status;

/** 409: a stale resourceVersion, another uid than the precondition's, a foreign field, or a name that is taken. */
export const isConflict = (error: unknown): boolean => hasStatus(error, 409);
export const isAlreadyExists = (error: unknown): boolean =>
  error instanceof KubeError && error.code === 'AlreadyExists';
export const isNotFound = (error: unknown): boolean => hasStatus(error, 404);
export const isForbidden = (error: unknown): boolean => hasStatus(error, 403);
/**
 * A refusal that ends by itself: the namespace is going, or the API server's admission has not learned of a CRD yet (it
 * looks every ten seconds, and until then refuses every owner of that kind).
 */
export const isPassing = (error: unknown): boolean =>
  isForbidden(error) && error instanceof KubeError && /is being terminated|cannot find RESTMapping/.test(error.message);
export const isInvalid = (error: unknown): boolean => hasStatus(error, 422);
/** 410: the resourceVersion or continue token is too old. */
export const isGone = (error: unknown): boolean => hasStatus(error, 410);
/** Whether the API server answered at all, whatever it said; a gateway's 502 to 504 is no answer of it. */
export const isAnswer = (error: unknown): boolean =>
  error instanceof KubeError && error.status > 0 && error.status < 500;
