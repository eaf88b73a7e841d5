import { ENDPOINTS, type Kind, type KlingRequest } from '@klingapi/kling';
import { type Answer, fail } from '../answer.ts';
import { readPictureHeader } from './picture-header.ts';

const MB = 1024 * 1024;
const SHORTEST_SIDE = 300;
const WIDEST = 2.5;
/** Enough for the size of a JPEG behind its metadata; the rest is not decoded. */
const HEAD_CHARACTERS = 1_400_000;

/** Fields that hold a picture: an address, or the picture in raw Base64. */
const PICTURES: readonly string[] = [
  ...['image', 'image_tail', 'images', 'image_url', 'subject_image', 'scene_image', 'style_image'],
  ...['human_image', 'cloth_image', 'element_frontal_image', 'frontal_image', 'static_mask', 'mask'],
];
const SOUNDS: readonly string[] = ['sound_file', 'audio_file'];
const ADDRESSES: readonly string[] = ['video_url', 'audio_url', 'voice_url'];
/** Entries of `contents` whose `url` is a picture. */
const PICTURE_CONTENTS: readonly unknown[] = [
  ...['first_frame', 'last_frame', 'refer_image', 'image', 'product_image', 'person_image'],
  ...['model_image', 'ref_image', 'avatar_image'],
];

/** Why the pictures and sounds of a request would be refused; nothing is fetched, so an address is checked by its form. */
export function badMedia(kind: Kind | undefined, request: KlingRequest): Answer | undefined {
  const isLegacy = kind === undefined || ENDPOINTS[kind].family === 'legacy';
  const byAddress = kind === 'solution-try-on';
  const limit = (isLegacy ? 10 : 50) * MB;

  const check = (field: string, name: string, value: unknown): string | undefined => {
    if (typeof value === 'string') {
      if (PICTURES.includes(name)) return badPicture(field, value, limit, byAddress);
      if (SOUNDS.includes(name)) return badSound(field, value);
      if (ADDRESSES.includes(name)) return badAddress(field, value);
      return undefined;
    }
    // Entries of a list are what the list is named.
    if (Array.isArray(value)) return first(value, (each, at) => check(`${field}[${at}]`, name, each));
    if (typeof value !== 'object' || value === null) return undefined;
    const { type, url }: { type?: unknown; url?: unknown } = value;
    if (name === 'contents' && typeof url === 'string') {
      if (PICTURE_CONTENTS.includes(type)) return badPicture(`${field}.url`, url, limit, byAddress);
      return badAddress(`${field}.url`, url);
    }
    return first(Object.entries(value), ([key, each]) => check(field === '' ? key : `${field}.${key}`, key, each));
  };
  const problem = check('', '', request);
  return problem === undefined ? undefined : fail(1201, problem);
}

function first<T>(all: readonly T[], check: (each: T, at: number) => string | undefined): string | undefined {
  for (const [at, each] of all.entries()) {
    const problem = check(each, at);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function badPicture(field: string, value: string, limit: number, byAddress: boolean): string | undefined {
  if (/^https?:/i.test(value)) return badAddress(field, value);
  if (byAddress) return `${field} is invalid: an http or https address is needed here, no Base64`;
  const bytes = decodeHead(field, value, limit);
  if (typeof bytes === 'string') return bytes;
  const size = readPictureHeader(bytes);
  if (size === undefined) return `${field} is invalid: neither JPEG nor PNG`;
  const { width, height } = size;
  if (Math.min(width, height) < SHORTEST_SIDE) {
    return `${field} is invalid: ${width}×${height} pixels, each side needs at least ${SHORTEST_SIDE}`;
  }
  if (Math.max(width / height, height / width) > WIDEST) {
    return `${field} is invalid: ${width}×${height} pixels, the ratio of the sides must be within 1:2.5 and 2.5:1`;
  }
  return undefined;
}

function badSound(field: string, value: string): string | undefined {
  if (/^https?:/i.test(value)) return badAddress(field, value);
  const bytes = decodeHead(field, value, 5 * MB);
  return typeof bytes === 'string' ? bytes : undefined;
}

/** The first bytes of what is given in Base64, or why it is not that. */
function decodeHead(field: string, value: string, limit: number): Buffer | string {
  if (value.startsWith('data:')) return `${field} is invalid: Base64 goes without the data: prefix`;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return `${field} is invalid: neither an http(s) address nor Base64`;
  if ((value.length / 4) * 3 > limit + 2) return `${field} is invalid: larger than ${limit / MB} MB`;
  return Buffer.from(value.slice(0, HEAD_CHARACTERS), 'base64');
}

function badAddress(field: string, value: string): string | undefined {
  const address = URL.parse(value);
  if (address === null || !/^https?:$/.test(address.protocol) || address.hostname === '') {
    return `${field} is invalid: not an http or https address`;
  }
  return undefined;
}
