import type { KlingError, KlingErrorKind } from '@klingapi/kling';
import { ProblemError } from './problem.ts';

interface Mapping {
  readonly status: number;
  readonly code: `upstream_${string}`;
  readonly title: string;
  readonly retryAfterSeconds?: number;
}

/**
 * Each cause that lies with Kling, as callers see it. A key that Kling refuses
 * is 502, not 401: the caller's own key is fine.
 */
const MAPPINGS: Readonly<Record<KlingErrorKind, Mapping>> = {
  key_invalid: { status: 502, code: 'upstream_key_invalid', title: 'Kling does not accept the key of this service' },
  account: { status: 502, code: 'upstream_account_restricted', title: 'The Kling account is restricted' },
  forbidden: { status: 502, code: 'upstream_forbidden', title: 'The Kling account may not do this' },
  balance: { status: 402, code: 'upstream_balance', title: 'The Kling account has nothing left to pay with' },
  bad_request: { status: 400, code: 'upstream_bad_request', title: 'Kling refused a parameter' },
  duplicate: { status: 502, code: 'upstream_duplicate', title: 'Kling contradicts itself about the task' },
  not_found: { status: 400, code: 'upstream_not_found', title: 'Kling does not have this model or resource' },
  moderation: { status: 422, code: 'upstream_moderation', title: 'Kling refused the content' },
  rate_limit: {
    status: 429,
    code: 'upstream_rate_limit',
    title: 'Kling takes no more requests now',
    retryAfterSeconds: 5,
  },
  concurrency: {
    status: 429,
    code: 'upstream_concurrency',
    title: 'As many tasks run as the Kling account allows',
    retryAfterSeconds: 15,
  },
  unavailable: { status: 503, code: 'upstream_unavailable', title: 'Kling is not available', retryAfterSeconds: 30 },
  timeout: { status: 503, code: 'upstream_timeout', title: 'Kling did not answer in time', retryAfterSeconds: 30 },
  network: { status: 503, code: 'upstream_unreachable', title: 'Kling cannot be reached', retryAfterSeconds: 30 },
  malformed: { status: 502, code: 'upstream_malformed', title: 'What answered does not speak the Kling API' },
};

export function upstreamCode(error: KlingError): string {
  return MAPPINGS[error.kind].code;
}

/** What a caller may read of the failure: our words, and the vendor's only where they name what to change. */
export function upstreamDetail(error: KlingError): string {
  const tells = error.kind === 'bad_request' || error.kind === 'moderation' || error.kind === 'not_found';
  return tells && error.vendorMessage !== '' ? `${error.message}: ${error.vendorMessage}` : error.message;
}

export function upstreamProblem(error: KlingError, taskId?: string): ProblemError {
  const details = { ...MAPPINGS[error.kind], detail: upstreamDetail(error) };
  return new ProblemError(taskId === undefined ? details : { ...details, taskId }, { cause: error });
}

/** A result file that Kling's storage did not give. */
export function upstreamResultProblem(detail: string, options?: ErrorOptions): ProblemError {
  return new ProblemError(
    { status: 502, code: 'upstream_result', title: 'The result cannot be fetched', detail },
    options,
  );
}
