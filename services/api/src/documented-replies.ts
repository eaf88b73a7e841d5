import { z } from 'zod';
import { problemSchema } from './problem.ts';

/** What a route answers beside success, for the OpenAPI document: status, meaning, headers, and the one shape of errors. */
const REFUSALS = {
  400: 'A parameter or field is not valid, or Kling did not take one; `errors` names each',
  401: 'Who calls is not known',
  402: 'The Kling account has nothing left to pay with',
  403: 'The caller has not the scope for this',
  404: 'There is no such thing, or it is not the caller’s',
  409: 'The state of the task or the external id does not allow it',
  410: 'The result is not kept any longer',
  411: 'The length of the body is not told',
  413: 'The body is longer than it may be',
  415: 'The body is not JSON',
  416: 'The result does not reach that far',
  422: 'The idempotency key belongs to another request, or Kling refused the content',
  429: 'A limit of the caller, or Kling is busy',
  500: 'Something went wrong inside this service',
  502: 'Kling refused this service or answered nonsense',
  503: 'Kling or the storage cannot be reached, or this process is ending',
  507: 'The disk is full',
} as const;
type Status = keyof typeof REFUSALS;

const retryAfter = {
  'retry-after': { type: 'integer', minimum: 0, description: 'Seconds until another try makes sense' },
};
/** Headers that such a reply may have. */
const HEADERS: Partial<Record<Status, object>> = {
  401: { 'www-authenticate': { type: 'string', description: 'Bearer' } },
  409: retryAfter,
  416: { 'content-range': { type: 'string', description: '`bytes */` and the length' } },
  429: retryAfter,
  503: retryAfter,
};

export interface Documented<S extends z.ZodType = z.ZodType> {
  readonly description: string;
  readonly headers?: object;
  readonly content: Readonly<Record<string, { readonly schema: S }>>;
}

/** Those that every guarded route has, and more. */
export function refusals<S extends Status>(
  ...more: S[]
): Record<S | 401 | 403 | 500 | 503, Documented<typeof problemSchema>>;
export function refusals(...more: Status[]): Record<number, Documented> {
  const content = { 'application/problem+json': { schema: problemSchema } };
  return Object.fromEntries([...more, 401, 403, 500, 503].map((status) => [status, documented(status, content)]));
}

const VENDOR_STATUSES = [400, 401, 403, 404, 429, 500, 503, 504] as const;
export type VendorStatus = (typeof VENDOR_STATUSES)[number];
export const isVendorStatus = (status: number): status is VendorStatus => VENDOR_STATUSES.some((one) => one === status);

/** The outer shape of every reply of Kling; `code` 0 is success. */
const vendorError = z.object({ code: z.int(), message: z.string(), request_id: z.string() }).meta({ id: 'KlingError' });

/** The same in the words of Kling: its envelope with `data`, and what it answers when it refuses. */
export function vendorReplies<D extends z.ZodType>(data: D) {
  const content = { 'application/json': { schema: vendorError } };
  return {
    200: z.object({ code: z.int(), message: z.string(), request_id: z.string(), data }),
    ...Object.fromEntries(VENDOR_STATUSES.map((status) => [status, documented(status, content)])),
  };
}

function documented(status: number, content: Documented['content']): Documented {
  const known = isStatus(status) ? status : undefined;
  const headers = known === undefined ? undefined : HEADERS[known];
  return {
    description: known === undefined ? 'Kling did not answer in time' : REFUSALS[known],
    ...(headers === undefined ? {} : { headers }),
    content,
  };
}

const isStatus = (status: number): status is Status => status in REFUSALS;

/** Bytes or text that are no JSON. */
export function media(description: string, ...types: string[]): Documented {
  return { description, content: Object.fromEntries(types.map((type) => [type, { schema: z.unknown() }])) };
}

const bytes = ['image/png', 'image/jpeg', 'image/*', 'video/mp4', 'video/*', 'audio/*', 'application/octet-stream'];
/** Of a route that gives a file or a range of it. */
export const fileReplies = {
  200: {
    ...media('The whole file', ...bytes),
    headers: {
      etag: { type: 'string', description: 'Of the copy that is kept here; absent while Kling’s is sent' },
      'accept-ranges': { type: 'string', enum: ['bytes', 'none'] },
    },
  },
  206: { ...media('The range that was asked for', ...bytes), headers: { 'content-range': { type: 'string' } } },
  304: z.null().describe('The ETag of the request is still good'),
};
