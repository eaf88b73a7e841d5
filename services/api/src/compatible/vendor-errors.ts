import { ENDPOINTS, KlingError, OPERATIONS } from '@klingapi/kling';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isVendorStatus } from '../documented-replies.ts';
import { type OwnCode, type ProblemDetails, ProblemError } from '../problem.ts';

export interface VendorError {
  readonly status: number;
  readonly code: number;
  readonly message: string;
}

/** The vendor's code for each refusal of ours that a program written for Kling can meet. */
const CODES: Readonly<Partial<Record<OwnCode, readonly [status: number, code: number]>>> = {
  invalid_request: [400, 1201],
  unauthenticated: [401, 1002],
  scope_missing: [403, 1103],
  host_refused: [403, 1103],
  origin_refused: [403, 1103],
  not_found: [404, 1202],
  method_not_allowed: [405, 1202],
  task_not_found: [400, 1201],
  upload_not_found: [400, 1201],
  external_id_taken: [400, 1201],
  body_too_large: [400, 1200],
  unsupported_media_type: [400, 1200],
  rate_limited: [429, 1302],
  spend_limited: [429, 1102],
  overloaded: [503, 5001],
  draining: [503, 5001],
  storage_unavailable: [503, 5001],
  results_unavailable: [503, 5001],
};
const isOwn = (code: string): code is OwnCode => code in CODES;

/** What Kling said goes on with its own code; a key that Kling refuses is not the caller's key, so it is no 1002. */
export function vendorErrorOf(details: ProblemDetails, error: unknown): VendorError {
  const cause = error instanceof ProblemError ? error.cause : error;
  const message = details.detail;
  if (cause instanceof KlingError) {
    if (cause.kind === 'key_invalid') return { status: 503, code: 5001, message };
    if (cause.code !== null && cause.code !== 0 && cause.httpStatus !== null) {
      const { httpStatus: told } = cause;
      const status = isVendorStatus(told) ? told : told < 500 ? 400 : 503;
      return { status, code: cause.code, message: cause.vendorMessage || message };
    }
    return { status: 503, code: 5001, message };
  }
  const [status, code] = (isOwn(details.code) ? CODES[details.code] : undefined) ?? [500, 5000];
  return { status, code, message };
}

const ROOTS = new Set(
  [...Object.values(ENDPOINTS), ...Object.values(OPERATIONS)]
    .map(({ path }) => path.split('/')[1] ?? '')
    .concat('tasks'),
);

/** Whether whoever calls this path expects the words of Kling. */
export function isVendorPath(path: string): boolean {
  return ROOTS.has(path.split('/')[1] ?? '');
}

export function sendVendorError(
  request: FastifyRequest,
  reply: FastifyReply,
  details: ProblemDetails,
  error: unknown,
): FastifyReply {
  const { status, code, message } = vendorErrorOf(details, error);
  if (details.code === 'unauthenticated') void reply.header('www-authenticate', 'Bearer');
  if (details.retryAfterSeconds !== undefined) void reply.header('retry-after', details.retryAfterSeconds);
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .serializer((body: unknown) => JSON.stringify(body))
    .send({ code, message, request_id: request.id });
}
