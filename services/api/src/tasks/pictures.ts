import { isPrivateAddress } from '../egress/addresses.ts';
import { type FieldProblem, ownProblem } from '../problem.ts';

/**
 * Pictures that callers give: URLs, which only Kling fetches and never this
 * service, or Base64. A URL that names a private address is refused all the
 * same: it can only be a mistake or a probe of somebody's network.
 */
const FIELDS = ['image', 'image_tail', 'human_image', 'cloth_image'] as const;

/** Decoded bytes of one picture, the vendor's limit. */
const LIMIT_BYTES = 10 * 1024 * 1024;

/**
 * The body with its pictures in the form that Kling takes (Base64 without the
 * `data:` prefix).
 *
 * @throws ProblemError `invalid_request` that names each field
 */
export function acceptPictures<T extends Record<string, unknown>>(body: T): T {
  const errors: FieldProblem[] = [];
  const accepted: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const value = body[field];
    if (typeof value !== 'string') continue;
    const judged = judgePicture(value);
    if ('problem' in judged) errors.push({ field, ...judged });
    else accepted[field] = judged.value;
  }
  if (errors.length > 0) throw ownProblem('invalid_request', describe(errors), { errors });
  return { ...body, ...accepted };
}

/** The request as it is stored and told: a picture is described, not repeated. */
export function describePictures(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const told: Record<string, unknown> = { ...body };
  for (const field of FIELDS) {
    const value = told[field];
    if (typeof value === 'string' && !isUrl(value)) told[field] = `(picture of ${decodedSize(value)} bytes)`;
  }
  return told;
}

function judgePicture(value: string): { value: string } | { problem: string; hint: string } {
  const base64 = value.replace(/^data:[a-z]+\/[a-z0-9.+-]+;base64,/i, '').replace(/\s+/g, '');
  if (isPicture(base64)) {
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
      return { problem: 'is not valid Base64', hint: 'use the standard alphabet with + and /' };
    }
    return decodedSize(base64) <= LIMIT_BYTES
      ? { value: base64 }
      : { problem: 'is larger than 10 MB', hint: 'send a smaller picture or a URL' };
  }
  if (!isUrl(value)) {
    return {
      problem: 'is neither an http(s) URL nor a PNG or JPEG picture in Base64',
      hint: 'send https://… or the Base64 of the file',
    };
  }
  return judgeUrl(value);
}

function judgeUrl(value: string): { value: string } | { problem: string; hint: string } {
  const hint = 'Kling fetches the picture, so its address must be public';
  if (!URL.canParse(value)) return { problem: 'is not a URL', hint };
  const url = new URL(value);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { problem: 'is not an http(s) URL', hint };
  if (url.username !== '' || url.password !== '') {
    return { problem: 'has a user name or password in it', hint: 'use a signed URL instead' };
  }
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (host === 'localhost' || host.endsWith('.localhost')) return { problem: 'names this machine', hint };
  if (isPrivateAddress(host)) return { problem: 'names a private address', hint };
  return { value };
}

function isUrl(value: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(value);
}

/** By the first bytes of PNG and JPEG, as they look in Base64. */
function isPicture(base64: string): boolean {
  return base64.startsWith('iVBORw0KGgo') || base64.startsWith('/9j/');
}

function decodedSize(base64: string): number {
  return Buffer.byteLength(base64, 'base64');
}

function describe(errors: readonly FieldProblem[]): string {
  return errors.map(({ field, problem }) => `${field} ${problem}`).join('; ');
}
