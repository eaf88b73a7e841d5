import type { Kind } from '@klingapi/kling';
import type { Medium } from '../uploads/media-type.ts';

/**
 * Pictures, videos and sounds that callers give, wherever in a body they are:
 * which fields hold them, and what Kling takes there. Source: the vendor's
 * pages, 2026-09-20.
 */
const PICTURES = new Set([
  ...['image', 'images', 'image_tail', 'image_url', 'human_image', 'cloth_image', 'subject_image', 'scene_image'],
  ...['style_image', 'element_frontal_image', 'frontal_image', 'static_mask', 'mask'],
]);
const SOUNDS = new Set(['sound_file', 'audio_file']);
/** `url` is what the entries of the newer families have. */
const ADDRESSES = new Set(['video_url', 'audio_url', 'voice_url', 'url']);

export interface FieldRule {
  readonly media: readonly Medium[];
  /** The largest file. */
  readonly bytes: number;
  /** The largest file that may be in the request itself, as Base64; 0: only an address may. */
  readonly inline: number;
  /** Whether pictures may be WebP besides PNG and JPEG. */
  readonly webp: boolean;
}

/** One text of a body. */
export interface MediaField {
  /** Of the field, or of the list that it is in. */
  readonly name: string;
  /** Path in the body: `contents.0.url`. */
  readonly field: string;
  /** What the entries of the newer families say of themselves: `first_frame`. */
  readonly type: string;
  readonly value: string;
}

const MB = 1024 * 1024;
const PICTURE: FieldRule = { media: ['picture'], bytes: 10 * MB, inline: 10 * MB, webp: false };
const SOUND: FieldRule = { media: ['sound'], bytes: 5 * MB, inline: 5 * MB, webp: false };
const VIDEO: FieldRule = { media: ['video'], bytes: 100 * MB, inline: 0, webp: false };
const LARGE_VIDEO: FieldRule = { ...VIDEO, bytes: 200 * MB };
const LARGE_VIDEOS = new Set<Kind>(['omni-video', 'new-omni-video', 'element', 'solution-subtitle']);

/** @param kind undefined in what makes no task */
export function ruleOf({ name, type }: Pick<MediaField, 'name' | 'type'>, kind: Kind | undefined): FieldRule {
  if (PICTURES.has(name)) return PICTURE;
  if (SOUNDS.has(name)) return SOUND;
  if (name === 'audio_url') return { ...SOUND, inline: 0 };
  if (name === 'voice_url') return { ...LARGE_VIDEO, media: ['sound', 'video'] };
  const video = kind !== undefined && LARGE_VIDEOS.has(kind) ? LARGE_VIDEO : VIDEO;
  if (name === 'video_url' || /video/.test(type)) return video;
  if (/image|frame/.test(type)) return newerPicture(kind);
  // A type that is not known here is Kling's to judge.
  return { media: ['picture', 'video', 'sound'], bytes: 200 * MB, inline: 50 * MB, webp: true };
}

function newerPicture(kind: Kind | undefined): FieldRule {
  if (kind === 'solution-try-on') return { ...PICTURE, inline: 0, webp: true };
  if (kind?.startsWith('solution-') === true) return { ...PICTURE, webp: true };
  return { ...PICTURE, bytes: 50 * MB, inline: 50 * MB };
}

/** A copy in which each text that is a picture, a video, a sound or an address of one is replaced. */
export function mapMedia<T extends object>(body: T, replace: (media: MediaField) => string): T {
  const walk = (value: unknown, name: string, field: string, type: string): unknown => {
    const isMedia = PICTURES.has(name) || SOUNDS.has(name) || ADDRESSES.has(name);
    if (typeof value === 'string') return isMedia ? replace({ name, field, type, value }) : value;
    if (Array.isArray(value)) return value.map((each, at) => walk(each, name, `${field}.${at}`, type));
    return typeof value === 'object' && value !== null ? copy(value, field) : value;
  };
  const copy = <O extends object>(value: O, field: string): O => {
    const type = 'type' in value && typeof value.type === 'string' ? value.type : '';
    const entries = Object.entries(value).map(([name, each]) => [
      name,
      walk(each, name, field === '' ? name : `${field}.${name}`, type),
    ]);
    return { ...value, ...Object.fromEntries(entries) };
  };
  return copy(body, '');
}
