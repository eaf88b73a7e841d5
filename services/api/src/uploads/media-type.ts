import { z } from 'zod';

export const MEDIA_TYPES = [
  'image/png',
  'image/jpeg',
  'image/webp',
  'video/mp4',
  'video/quicktime',
  'audio/mpeg',
  'audio/wav',
  'audio/mp4',
  'audio/aac',
] as const;
export const mediaTypeSchema = z.enum(MEDIA_TYPES);
export type MediaType = z.infer<typeof mediaTypeSchema>;
export type Medium = 'picture' | 'video' | 'sound';

const MB = 1024 * 1024;

/**
 * The most bytes that any field of Kling takes of a medium, but for videos to be
 * given subtitles (500 MB), and for sounds: a voice as WAV may be larger than the
 * 5 MB of a sound. Fields of less are judged when the upload is used.
 */
export const LIMIT_BYTES: Readonly<Record<Medium, number>> = { picture: 50 * MB, video: 200 * MB, sound: 20 * MB };
export const LARGEST_BYTES = Math.max(...Object.values(LIMIT_BYTES));
/** What is needed to tell a type. */
export const HEAD_BYTES = 16;

export const EXTENSIONS: Readonly<Record<MediaType, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'video/mp4': 'mp4',
  'video/quicktime': 'mov',
  'audio/mpeg': 'mp3',
  'audio/wav': 'wav',
  'audio/mp4': 'm4a',
  'audio/aac': 'aac',
};

export function mediumOf(type: MediaType): Medium {
  if (type.startsWith('image/')) return 'picture';
  return type.startsWith('video/') ? 'video' : 'sound';
}

/**
 * The type of a file by its first bytes, whatever its name or sender says.
 * Nothing that a browser would run (HTML, SVG) is among the types. Pure.
 *
 * @param head the first {@link HEAD_BYTES}, or the whole of a shorter file
 */
export function mediaTypeOf(head: Buffer): MediaType | undefined {
  const text = (from: number, to: number) => head.toString('latin1', from, to);
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'image/png';
  if (text(0, 3) === '\xff\xd8\xff') return 'image/jpeg';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'image/webp';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WAVE') return 'audio/wav';
  if (text(4, 8) === 'ftyp') return typeOfBrand(text(8, 12));
  if (text(0, 3) === 'ID3') return 'audio/mpeg';
  return typeOfFrame(head);
}

/** MP4 and its kin say by a brand what they are. */
function typeOfBrand(brand: string): MediaType | undefined {
  if (brand === 'qt  ') return 'video/quicktime';
  if (/^M4[AB] $/.test(brand)) return 'audio/mp4';
  // Pictures in the same container (HEIC, AVIF, JPEG 2000, raw ones) and films of old telephones, which Kling does not take.
  return /^(hei|hev|mif|msf|avi|crx|jp|3g|M4P)/.test(brand) ? undefined : 'video/mp4';
}

/** A frame of MP3 or AAC without anything before it: twelve bits that are set, and fields that are possible. */
function typeOfFrame(head: Buffer): MediaType | undefined {
  const [first = 0, second = 0, third = 0] = head;
  if (first !== 0xff) return undefined;
  if ((second & 0xf6) === 0xf0) return ((third >> 2) & 0x0f) <= 12 ? 'audio/aac' : undefined;
  const isLayer3 = (second & 0xe6) === 0xe2 && (second & 0x18) !== 0x08;
  const isPossible = third >> 4 !== 0x0f && third >> 4 !== 0 && (third & 0x0c) !== 0x0c;
  return isLayer3 && isPossible ? 'audio/mpeg' : undefined;
}
