import { z } from 'zod';

/** RFC 9457. `code` is stable and is what programs go by; `upstream_…` when Kling, not this service, is the cause. */
export const problemSchema = z
  .object({
    type: z.url(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    requestId: z.string(),
    taskId: z.string().optional(),
    errors: z.array(z.object({ field: z.string(), problem: z.string(), hint: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problemSchema>;
export type FieldProblem = NonNullable<Problem['errors']>[number];

/** Status and title of each code of our own. Those of upstream causes are in `upstream-problem.ts`. */
const OWN = {
  invalid_request: [400, 'The request is not valid'],
  unauthenticated: [401, 'Who calls is not known'],
  callback_refused: [401, 'The callback is not from Kling'],
  scope_missing: [403, 'The caller may not do this'],
  host_refused: [403, 'This service is not known by that name'],
  origin_refused: [403, 'Pages of this origin may not call'],
  not_found: [404, 'There is nothing here'],
  method_not_allowed: [405, 'The path does not take this method'],
  task_not_found: [404, 'There is no such task'],
  result_not_found: [404, 'The task has no such result'],
  result_deleted: [410, 'The result is not kept any longer'],
  task_not_finished: [409, 'The task has not ended yet'],
  upload_not_found: [404, 'There is no such upload'],
  upload_in_use: [409, 'The upload is in use'],
  length_required: [411, 'The length of the file is not told'],
  upload_too_large: [413, 'The file is too large'],
  upload_type_unknown: [415, 'The file is of no type that Kling takes'],
  uploads_limited: [429, 'The caller keeps as many uploads as it may'],
  uploads_unconfigured: [404, 'This service has no place for files'],
  storage_full: [507, 'There is no room for the file'],
  task_failed: [409, 'The task failed and has no result'],
  external_id_taken: [409, 'The external id belongs to another task'],
  callback_repeated: [409, 'The callback came before'],
  request_timeout: [408, 'The request took too long'],
  body_too_large: [413, 'The body is too large'],
  range_not_satisfiable: [416, 'The result does not reach that far'],
  headers_too_large: [431, 'The headers are too large'],
  unsupported_media_type: [415, 'The body is not JSON'],
  rate_limited: [429, 'The caller makes tasks too fast'],
  spend_limited: [429, 'The caller has used up what it may spend'],
  idempotency_key_reused: [422, 'The idempotency key belongs to another request'],
  internal_error: [500, 'Something went wrong inside this service'],
  storage_unavailable: [503, 'The database cannot be reached'],
  results_unavailable: [503, 'The store of results cannot be reached'],
  overloaded: [503, 'This process has too much to do'],
  draining: [503, 'This process is ending'],
} as const satisfies Record<string, readonly [number, string]>;
export type OwnCode = keyof typeof OWN;

export interface ProblemDetails {
  readonly status: number;
  readonly title: string;
  readonly code: string;
  readonly detail: string;
  readonly retryAfterSeconds?: number;
  readonly errors?: FieldProblem[];
  readonly taskId?: string;
}

/** Any refusal that a caller is to see; thrown in a route, turned into a reply in one place. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly details: ProblemDetails;

  constructor(details: ProblemDetails, options?: ErrorOptions) {
    super(details.detail, options);
    this.details = details;
  }
}

export function ownProblem(
  code: OwnCode,
  detail: string,
  more: Pick<ProblemDetails, 'retryAfterSeconds' | 'errors'> = {},
): ProblemError {
  const [status, title] = OWN[code];
  return new ProblemError({ status, title, code, detail, ...more });
}

export function problemBody(details: ProblemDetails, requestId: string): Problem {
  return {
    type: `https://klingapi.dev/problems/${details.code}`,
    title: details.title,
    status: details.status,
    detail: details.detail,
    code: details.code,
    requestId,
    ...(details.taskId === undefined ? {} : { taskId: details.taskId }),
    ...(details.errors === undefined ? {} : { errors: details.errors }),
  };
}
