import type { Socket } from 'node:net';
import { KlingError } from '@klingapi/kling';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { isVendorPath, sendVendorError } from './compatible/vendor-errors.ts';
import { type FieldProblem, ownProblem, type ProblemDetails, ProblemError, problemBody } from './problem.ts';
import { isOutage } from './storage/outage.ts';
import { pathOf } from './unknown-routes.ts';
import { upstreamProblem } from './upstream-problem.ts';

/** Every error of every route leaves through here, as problem+json. */
export function replyWithProblems(app: FastifyInstance): void {
  app.setErrorHandler(replyToError);
}

/** Also of requests that reach no route; on paths of Kling in its words. */
export function replyToError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const details = problemOf(error, request);
  return isVendorPath(pathOf(request))
    ? sendVendorError(request, reply, details, error)
    : sendProblem(request, reply, details);
}

const BROKEN: Readonly<Record<string, readonly [status: string, details: ProblemDetails]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    ownProblem('headers_too_large', 'send shorter headers and a shorter URL').details,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    '408 Request Timeout',
    ownProblem('request_timeout', 'the request did not come to its end').details,
  ],
};
const NO_HTTP = ['400 Bad Request', ownProblem('invalid_request', 'this is no HTTP/1.1').details] as const;

/** What is no HTTP never becomes a request; the connection is of no more use. */
export function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, details] = BROKEN[error.code ?? ''] ?? NO_HTTP;
  const body = JSON.stringify(problemBody(details, crypto.randomUUID()));
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`);
}

/** What a caller may know of an error; logs what is our own fault. */
export function problemOf(error: FastifyError, request: FastifyRequest): ProblemDetails {
  if (error instanceof ProblemError) return error.details;
  if (error instanceof KlingError) return upstreamProblem(error).details;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map(({ instancePath, message = 'is not valid' }) =>
      fieldProblem(instancePath, message),
    );
    const detail = errors.map(({ field, problem }) => `${field}: ${problem}`).join('; ');
    return ownProblem('invalid_request', detail, { errors }).details;
  }
  if (error.statusCode === 413) return ownProblem('body_too_large', 'the body may have 32 MB at most').details;
  if (error.statusCode === 415) {
    return ownProblem('unsupported_media_type', 'send application/json').details;
  }
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return ownProblem('invalid_request', error.message).details;
  }
  request.log.error({ err: error, request: request.id }, 'request failed');
  if (isOutage(error)) {
    return ownProblem('storage_unavailable', 'send the request again', { retryAfterSeconds: 5 }).details;
  }
  return ownProblem('internal_error', 'the log of this service has more under the request id').details;
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, details: ProblemDetails): FastifyReply {
  if (details.code === 'unauthenticated') void reply.header('www-authenticate', 'Bearer');
  if (details.retryAfterSeconds !== undefined) void reply.header('retry-after', details.retryAfterSeconds);
  return reply
    .code(details.status)
    .type('application/problem+json')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problemBody(details, request.id));
}

function fieldProblem(instancePath: string, problem: string): FieldProblem {
  const field = instancePath.split('/').filter(Boolean).join('.') || 'body';
  return { field, problem, hint: HINTS[field] ?? 'see /docs for what this takes' };
}

const HINTS: Readonly<Record<string, string>> = {
  cfg_scale: 'a number from 0 to 1; leave it out for the default of Kling',
  prompt: 'a text of 1 to 2500 characters',
  n: 'a whole number from 1 to 9',
  duration: 'seconds as text, for example "5"',
  timeoutSeconds: 'a number from 0 to 600',
  body: 'a JSON object',
};
