import { CODES, type Code } from './codes.ts';

/** What a call is answered: the vendor's envelope, to which the door adds the id of the request. */
export interface Answer {
  /** Of HTTP. */
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
  /** Of the task that the call made, for who watches. */
  readonly taskId?: string;
}

export function succeed(data: unknown, taskId?: string): Answer {
  return { status: 200, code: 0, message: 'SUCCEED', data, ...(taskId === undefined ? {} : { taskId }) };
}

/** @param message instead of the usual words of the code */
export function fail(code: Code, message: string = CODES[code].message): Answer {
  return { status: CODES[code].status, code, message };
}

/** The first problem of a body or query, in the vendor's way: one at a time. */
export function invalid(issues: readonly { path: PropertyKey[]; message: string }[]): Answer {
  const [issue] = issues;
  return fail(1201, `${issue?.path.join('.') ?? ''} is invalid: ${issue?.message ?? ''}`);
}
