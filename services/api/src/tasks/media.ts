import type { Kind } from '@klingapi/kling';
import { isPrivateAddress } from '../egress/addresses.ts';
import { type FieldProblem, ownProblem } from '../problem.ts';
import { HEAD_BYTES, mediaTypeOf, mediumOf } from '../uploads/media-type.ts';
import { createSizeReader, sizeProblem } from '../uploads/picture-size.ts';
import { describeMedium } from './described-media.ts';
import { type FieldRule, type MediaField, mapMedia, ruleOf } from './media-fields.ts';

/**
 * Pictures, videos and sounds that callers give: URLs, which only Kling fetches
 * and never this service, `upload:<id>`, or Base64. A URL that names a private address is
 * refused all the same: it can only be a mistake or a probe of somebody's network.
 */
type Judged = { value: string } | { problem: string; hint: string };

/** Of Base64, decoded at once to find where the header of a picture ends; a multiple of four. */
const SLICE = 16_384;
/** More in one reply help nobody. */
export const MOST_ERRORS = 20;
const MB = 1024 * 1024;

/**
 * The body with its media in the form that Kling takes (Base64 without the
 * `data:` prefix), wherever in it they are.
 *
 * @param kind undefined in what makes no task
 * @throws ProblemError `invalid_request` that names each field
 */
export function acceptMedia<T extends object>(body: T, kind: Kind | undefined): T {
  const errors: FieldProblem[] = [];
  const accepted = mapMedia(body, (media) => {
    if (errors.length >= MOST_ERRORS) return media.value;
    const judged = judge(media, ruleOf(media, kind));
    if (!('problem' in judged)) return judged.value;
    errors.push({ field: media.field, ...judged });
    return media.value;
  });
  if (errors.length > 0) throw refusedMedia(errors);
  return accepted;
}

export function refusedMedia(errors: FieldProblem[]) {
  return ownProblem('invalid_request', errors.map(({ field, problem }) => `${field} ${problem}`).join('; '), {
    errors,
  });
}

/** The request as it is stored and told: a picture is described, not repeated. */
export function describeMedia(body: object): Record<string, unknown> {
  return {
    ...mapMedia(body, ({ name, value }) => {
      return isUrl(value) ? value : describeMedium(name, decodedSize(value));
    }),
  };
}

/** What of an address shows that Kling could not fetch it. */
export function addressProblem(address: string): string | undefined {
  if (!URL.canParse(address)) return 'is not a URL';
  const url = new URL(address);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'is not an http(s) URL';
  if (url.username !== '' || url.password !== '') return 'has a user name or password in it';
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (host === 'localhost' || host.endsWith('.localhost')) return 'names this machine';
  return isPrivateAddress(host) ? 'names a private address' : undefined;
}

function judge({ value }: MediaField, rule: FieldRule): Judged {
  // Whether there is such an upload is looked up when the rest is in order.
  if (/^upload:/.test(value)) return { value };
  if (isUrl(value) && !/^data:/i.test(value)) {
    const problem = addressProblem(value);
    const hint = 'Kling fetches it, so its address must be public; a file of yours can be uploaded (POST /api/uploads)';
    return problem === undefined ? { value } : { problem, hint };
  }
  return judgeBase64(value, rule);
}

function judgeBase64(value: string, { media, inline, webp }: FieldRule): Judged {
  const base64 = bare(value);
  const type = mediaTypeOf(Buffer.from(base64.slice(0, 4 * HEAD_BYTES), 'base64').subarray(0, HEAD_BYTES));
  const wanted = media.includes('picture') ? 'PNG or JPEG picture' : 'sound (MP3, WAV, M4A, AAC)';
  if (type === undefined || !media.includes(mediumOf(type)) || (type === 'image/webp' && !webp)) {
    const what = inline === 0 ? 'is not an http(s) URL' : `is neither an http(s) URL nor a ${wanted} in Base64`;
    return {
      problem: what,
      hint: 'send https://…, upload:<id> of an upload, or the Base64 of the file where it is taken',
    };
  }
  if (inline === 0) {
    return {
      problem: 'is Base64, where Kling takes only a URL',
      hint: 'send https://…, or upload it (POST /api/uploads)',
    };
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.replace(/=+$/, '').length % 4 === 1) {
    return { problem: 'is not valid Base64', hint: 'use the standard alphabet with + and /, and send all of it' };
  }
  if (decodedSize(base64) > inline) {
    return { problem: `is larger than ${inline / MB} MB`, hint: 'send a smaller file or a URL' };
  }
  const reader = createSizeReader(type);
  for (let at = 0; at < base64.length && reader?.done === false; at += SLICE) {
    reader.push(Buffer.from(base64.slice(at, at + SLICE), 'base64'));
  }
  return (reader === undefined ? undefined : sizeProblem(reader.size)) ?? { value: base64 };
}

/** Base64 without what a data URL has before it. */
function bare(value: string): string {
  return value.replace(/^data:[a-z]+\/[a-z0-9.+-]+;base64,/i, '').replace(/\s+/g, '');
}

function isUrl(value: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(value);
}

function decodedSize(base64: string): number {
  return Buffer.byteLength(base64, 'base64');
}
