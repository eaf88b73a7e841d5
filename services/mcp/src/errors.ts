import { z } from 'zod';

/** Problem details as the API sends them (RFC 9457 with our own `code` and `errors`). */
const problemSchema = z.object({
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
  requestId: z.string().optional(),
  /** The task that was stored although the call failed. */
  taskId: z.string().optional(),
  errors: z
    .array(z.object({ field: z.string(), problem: z.string(), hint: z.string().nullish() }))
    .optional()
    .catch(undefined),
});

/** The API refused, failed or could not be reached. The message is written for the model that called the tool. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  /** Whether the same call may work later. */
  readonly retryable: boolean;

  constructor(code: string, message: string, retryable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryable = retryable;
  }
}

const UNKNOWN_OUTCOME =
  'It is not known whether the request arrived; a task may have been created and charged. Tell the user before repeating it.';

/**
 * @param retryAfter value of the Retry-After header
 * @param creates the call was to start something that is paid for
 */
export function refused(status: number, body: unknown, retryAfter: string | undefined, creates: boolean): ApiError {
  const problem = problemSchema.safeParse(body).data ?? {};
  const lines = [problem.detail ?? problem.title ?? `The API answered HTTP ${status}.`];
  for (const { field, problem: what, hint } of problem.errors ?? []) {
    lines.push(`- ${field}: ${what}${hint === undefined || hint === null ? '' : ` (${hint})`}`);
  }
  // A gateway, or an API that failed inside: what became of the call is not told.
  const outcomeUnknown = creates && status >= 500 && (problem.code ?? 'internal_error') === 'internal_error';
  lines.push(outcomeUnknown ? UNKNOWN_OUTCOME : advice(status, problem.code, retryAfter));
  if (problem.taskId !== undefined) lines.push(`Task id: ${problem.taskId}`);
  if (problem.requestId !== undefined) lines.push(`Request id: ${problem.requestId}`);
  return new ApiError(problem.code ?? `http_${status}`, lines.join('\n'), status === 429 || status >= 500);
}

function advice(status: number, code: string | undefined, retryAfter: string | undefined): string {
  if (code === 'task_not_finished') return 'Call wait_for_task_completion_tool with the same task_id.';
  if (status === 400 || status === 422) return 'Correct the arguments and call the tool again.';
  if (status === 401 || status === 403) {
    return 'The API does not accept this service. Calling again will not help; tell the owner of the service.';
  }
  if (status === 404) return 'Check the task_id: it is the id that a create tool returned.';
  if (status === 429) return `Too many requests. Wait ${seconds(retryAfter, 30)} seconds, then call again.`;
  if (status >= 500) return `This is not a fault of the arguments. Try again in ${seconds(retryAfter, 30)} seconds.`;
  return 'Change the request before calling again.';
}

function seconds(retryAfter: string | undefined, otherwise: number): number {
  const value = Number(retryAfter);
  return retryAfter !== undefined && Number.isFinite(value) && value >= 0 ? Math.ceil(value) : otherwise;
}

/** @param mayHaveArrived a create that may have been paid for must not be repeated blindly */
export function unreachable(cause: unknown, mayHaveArrived: boolean): ApiError {
  const advised = mayHaveArrived ? UNKNOWN_OUTCOME : 'Nothing was changed. Try again in 10 seconds.';
  return new ApiError('api_unreachable', `The API service did not answer.\n${advised}`, true, { cause });
}

/** For a call that was not made, because nobody answered those before it. */
export function notAsked(calls: number): ApiError {
  const message = `The API service did not answer the last ${calls} calls, so it was not asked again.`;
  return new ApiError('api_unreachable', `${message}\nNothing was changed. Try again in 10 seconds.`, true);
}

export function unreadable(cause: unknown, creates: boolean): ApiError {
  const message = `The API service answered with something that cannot be read.${creates ? `\n${UNKNOWN_OUTCOME}` : ''}`;
  return new ApiError('api_unreadable', message, false, { cause });
}
