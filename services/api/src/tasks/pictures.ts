import { isPrivateAddress } from '../egress/addresses.ts';
import { type FieldProblem, ownProblem } from '../problem.ts';

/**
 * Pictures, videos and sounds that callers give: URLs, which only Kling fetches
 * and never this service, or Base64. A URL that names a private address is refused
 * all the same: it can only be a mistake or a probe of somebody's network.
 */
const PICTURES = new Set([
  ...['image', 'images', 'image_tail', 'image_url', 'human_image', 'cloth_image', 'subject_image', 'scene_image'],
  ...['style_image', 'element_frontal_image', 'frontal_image', 'static_mask', 'mask'],
]);
const SOUNDS = new Set(['sound_file', 'audio_file']);
/** `url` is what the entries of the newer families have. */
const ADDRESSES = new Set(['video_url', 'audio_url', 'voice_url', 'url']);

/** Decoded bytes of one picture, the vendor's limit. */
const LIMIT_BYTES = 10 * 1024 * 1024;

type Judged = { value: string } | { problem: string; hint: string };

/**
 * The body with its pictures in the form that Kling takes (Base64 without the
 * `data:` prefix), wherever in it they are.
 *
 * @throws ProblemError `invalid_request` that names each field
 */
export function acceptPictures<T extends object>(body: T): T {
  const errors: FieldProblem[] = [];
  const accepted = mapMedia(body, (name, value, field) => {
    const judged = judge(name, value);
    if (!('problem' in judged)) return judged.value;
    errors.push({ field, ...judged });
    return value;
  });
  if (errors.length > 0) throw ownProblem('invalid_request', describe(errors), { errors });
  return accepted;
}

function judge(name: string, value: string): Judged {
  if (SOUNDS.has(name)) return isUrl(value) && !value.startsWith('data:') ? judgeUrl(value) : { value: bare(value) };
  if (PICTURES.has(name) || !isUrl(value)) return judgePicture(value);
  return value.startsWith('data:') ? judgePicture(value) : judgeUrl(value);
}

/** The request as it is stored and told: a picture is described, not repeated. */
export function describePictures(body: object): Record<string, unknown> {
  return {
    ...mapMedia(body, (name, value) => {
      if (isUrl(value)) return value;
      return `(${SOUNDS.has(name) ? 'sound' : 'picture'} of ${decodedSize(value)} bytes)`;
    }),
  };
}

/** A copy in which each text that is a picture, a sound or an address of one is replaced. */
function mapMedia<T extends object>(body: T, replace: (name: string, value: string, field: string) => string): T {
  const walk = (value: unknown, name: string, field: string): unknown => {
    const isMedia = PICTURES.has(name) || SOUNDS.has(name) || ADDRESSES.has(name);
    if (typeof value === 'string') return isMedia ? replace(name, value, field) : value;
    if (Array.isArray(value)) return value.map((each, at) => walk(each, name, `${field}.${at}`));
    return typeof value === 'object' && value !== null ? copy(value, field) : value;
  };
  const copy = <O extends object>(value: O, field: string): O => {
    const entries = Object.entries(value).map(([name, each]) => [
      name,
      walk(each, name, field === '' ? name : `${field}.${name}`),
    ]);
    return { ...value, ...Object.fromEntries(entries) };
  };
  return copy(body, '');
}

function judgePicture(value: string): Judged {
  const base64 = bare(value);
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

function judgeUrl(value: string): Judged {
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

/** Base64 without what a data URL has before it. */
function bare(value: string): string {
  return value.replace(/^data:[a-z]+\/[a-z0-9.+-]+;base64,/i, '').replace(/\s+/g, '');
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
