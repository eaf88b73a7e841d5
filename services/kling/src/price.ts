import type { Kind } from './endpoints.ts';
import type { OperationName } from './operations.ts';
import type { KlingRequest } from './schema.ts';
import { type Wishes, wishesOf } from './wishes.ts';

/** What a task will probably cost. The real cost is what the task tells when it has ended. */
export interface Estimate {
  /** Units of a resource pack. */
  readonly units: number;
  /** The pack that they are taken from. */
  readonly pack: 'video' | 'image';
  /** At list price. */
  readonly usd: number;
  /** How it was reckoned, for people. */
  readonly basis: string;
  /** Whether a given video or sound, whose length is not known here, decides: then it is the price of one `per`. */
  readonly per?: 'second' | '5 seconds';
}

/** US dollars of one unit. Source: the vendor's pricing page, 2026-09-20. */
export const UNIT_USD = { video: 0.14, image: 0.0035 } as const;

/** Units a second in 720p, 1080p, 4k; null: not made. */
type Rates = readonly [number | null, number | null, number | null];
interface VideoPrice {
  readonly silent: Rates;
  readonly sound?: Rates;
  /** With voices, as a rule dearer than sound alone. */
  readonly voices?: Rates;
  readonly referenceVideo?: Rates;
}

const THREE: VideoPrice = { silent: [0.6, 0.8, 3], sound: [0.9, 1.2, 3] };
const OMNI: VideoPrice = { silent: [0.6, 0.8, 3], sound: [0.8, 1, 3], referenceVideo: [0.9, 1.2, 3] };
const O1: VideoPrice = { silent: [0.6, 0.8, null], referenceVideo: [0.9, 1.2, null] };
const TWO_SIX: VideoPrice = { silent: [0.3, 0.5, null], sound: [null, 1, null], voices: [null, 1.2, null] };
const TWO_FIVE: VideoPrice = { silent: [0.3, 0.5, null] };
const TURBO: VideoPrice = { silent: [0.8, 1, null], sound: [0.8, 1, null] };
const MASTER: VideoPrice = { silent: [2, 2, null] };

/** Source: the vendor's pricing page, 2026-09-20; those of master models of a third party's catalogue. */
const VIDEOS: Readonly<Record<string, VideoPrice>> = {
  'kling-v3': THREE,
  'kling-3.0': THREE,
  'kling-v3-omni': OMNI,
  'kling-3.0-omni': OMNI,
  'kling-video-o1': O1,
  'kling-o1': O1,
  'kling-v2-6': TWO_SIX,
  'kling-2.6': TWO_SIX,
  'kling-v2-5-turbo': TWO_FIVE,
  'kling-2.5-turbo': TWO_FIVE,
  'kling-3.0-turbo': TURBO,
  'kling-v2-1-master': MASTER,
  'kling-v2-master': MASTER,
};
const MOTION: Readonly<Record<string, Rates>> = {
  'kling-v3': [0.9, 1.2, null],
  'kling-3.0': [0.9, 1.2, null],
  'kling-v2-6': [0.5, 0.8, null],
  'kling-2.6': [0.5, 0.8, null],
};
const AVATAR: Rates = [0.4, 0.8, null];
const RESOLUTIONS = ['720p', '1080p', '4k'];

/** Undefined where the vendor's price list has no line for it. */
export function estimate(kind: Kind, request: KlingRequest): Estimate | undefined {
  const wishes = wishesOf(kind, request);
  const { model = '' } = wishes;
  switch (kind) {
    case 'text-to-image':
      return picturePrice(wishes, imageUnits(wishes));
    case 'omni-image':
      return picturePrice(wishes, wishes.resolution === '4k' ? 16 : 8);
    case 'multi-image-to-image':
      return picturePrice(wishes, 16);
    case 'image-expand':
      return picturePrice(wishes, 8);
    case 'multi-shot-image':
      return picturePrice({ ...wishes, pictures: 1 }, 20);
    case 'motion-control':
    case 'new-motion-control':
      return perSecond(MOTION[model], wishes, undefined);
    case 'avatar':
      return perSecond(AVATAR, wishes, undefined);
    case 'lip-sync':
    case 'face-lip-sync':
      return { ...told('video', 0.5, '0.5 units for each 5 seconds'), per: '5 seconds' };
    case 'text-to-audio':
    case 'video-to-audio':
      return told('video', 0.25, '0.25 units a sound');
    case 'voice':
      return told('video', 0.05, '0.05 units a voice');
    case 'element':
      return told('image', 0, 'elements are free');
    default:
      return videoPrice(model, wishes);
  }
}

/** Units of the pack for videos. Source: as above; calls that are not here cost nothing. */
const OPERATION_UNITS: Readonly<Partial<Record<OperationName, number>>> = {
  'text-to-speech': 0.05,
  'identify-face': 0.05,
  'image-recognize': 0.1,
};

/** What a call that makes no task costs; Kling does not tell it afterwards. Undefined where it is free. */
export function operationPrice(name: OperationName): Estimate | undefined {
  const units = OPERATION_UNITS[name];
  return units === undefined ? undefined : told('video', units, `${units} units a call`);
}

function imageUnits({ model, images }: Wishes): number | undefined {
  if (model === 'kling-v3') return 8;
  if (model === 'kling-v2-1') return images > 0 ? 8 : 4;
  return model === 'kling-v1' ? 1 : undefined;
}

function picturePrice({ pictures }: Wishes, each: number | undefined): Estimate | undefined {
  if (each === undefined) return undefined;
  return told('image', each * pictures, `${each} units a picture, ${pictures} of them`);
}

function videoPrice(model: string, wishes: Wishes): Estimate | undefined {
  const price = VIDEOS[model];
  if (price === undefined) return undefined;
  const { referenceVideo, voices, sound } = wishes;
  const rates =
    referenceVideo !== undefined
      ? price.referenceVideo
      : sound
        ? ((voices > 0 ? price.voices : undefined) ?? price.sound)
        : price.silent;
  // The length of a video that is edited is that of the video.
  return perSecond(rates, wishes, referenceVideo === 'base' ? undefined : (wishes.seconds ?? 5));
}

function perSecond(rates: Rates | undefined, wishes: Wishes, seconds: number | undefined): Estimate | undefined {
  const rate = rates?.[RESOLUTIONS.indexOf(wishes.resolution ?? '720p')];
  if (rate === undefined || rate === null) return undefined;
  const basis = `${rate} units a second in ${wishes.resolution ?? '720p'}`;
  if (seconds === undefined) return { ...told('video', rate, basis), per: 'second' };
  return told('video', rate * seconds, `${basis}, ${seconds} s`);
}

function told(pack: Estimate['pack'], units: number, basis: string): Estimate {
  const rounded = Math.round(units * 1000) / 1000;
  return { units: rounded, pack, usd: Math.round(rounded * UNIT_USD[pack] * 10_000) / 10_000, basis };
}
