import { z } from 'zod';
import type { Kind } from './endpoints.ts';
import type { KlingRequest } from './schema.ts';

/** What a request asks of its model, whatever family it is written for; the one reading for limits and prices. */
export interface Wishes {
  readonly model: string | undefined;
  /** Undefined where the request leaves it to the vendor, or a given video decides. */
  readonly seconds: number | undefined;
  readonly resolution: string | undefined;
  readonly sound: boolean;
  readonly firstFrame: boolean;
  readonly lastFrame: boolean;
  readonly referenceVideo: 'base' | 'feature' | undefined;
  readonly multiShot: boolean;
  /** Seconds of each shot. */
  readonly shots: readonly number[];
  readonly pictures: number;
  readonly images: number;
  readonly elements: number;
  readonly voices: number;
  /** Names of the fields, for who is told. */
  readonly fields: typeof LEGACY_FIELDS;
}

const LEGACY_FIELDS = {
  seconds: 'duration',
  resolution: 'mode',
  sound: 'sound',
  lastFrame: 'image_tail',
  multiShot: 'multi_shot',
  elements: 'element_list',
  voices: 'voice_list',
  video: 'video_list',
};
const NEW_FIELDS: typeof LEGACY_FIELDS = {
  seconds: 'settings.duration',
  resolution: 'settings.resolution',
  sound: 'settings.audio',
  lastFrame: 'contents',
  multiShot: 'settings.multi_shot',
  elements: 'contents',
  voices: 'contents',
  video: 'contents',
};

/** Billing names of the modes. Source: the vendor's billing page. */
const MODES: Readonly<Record<string, string>> = { std: '720p', pro: '1080p', '4k': '4k' };
// what is absent is no failure, which would cost more than all the rest
const list = z.array(z.unknown()).default([]).catch([]);
const text = z.string().optional().catch(undefined);
const legacyBody = z.object({
  model_name: text,
  duration: z.coerce.number().optional().catch(undefined),
  mode: text,
  resolution: text,
  sound: text,
  image: text,
  image_tail: text,
  image_list: z
    .array(z.looseObject({ type: text }))
    .default([])
    .catch([]),
  subject_image_list: list,
  element_list: list,
  voice_list: list,
  video_list: z
    .array(z.looseObject({ refer_type: z.enum(['base', 'feature']).catch('base') }))
    .default([])
    .catch([]),
  multi_shot: z.boolean().default(false).catch(false),
  multi_prompt: z
    .array(z.looseObject({ duration: z.coerce.number() }))
    .default([])
    .catch([]),
  n: z.number().default(1).catch(1),
  result_type: text,
  series_amount: z
    .union([z.number(), z.literal('auto')])
    .default(4)
    .catch(4),
});
const newBody = z.object({
  model_name: text,
  contents: z
    .array(z.looseObject({ type: z.string() }))
    .default([])
    .catch([]),
  settings: z
    .looseObject({
      duration: z.number().optional().catch(undefined),
      resolution: text,
      audio: text,
      multi_shot: z.boolean().optional().catch(undefined),
    })
    .default({})
    .catch({}),
});

/** What was read last of a request: its limits, its price and its reservation are asked for one after the other. */
const read = new WeakMap<KlingRequest, { readonly kind: Kind; readonly wishes: Wishes }>();

/** Pure, as long as nobody changes a request. */
export function wishesOf(kind: Kind, request: KlingRequest): Wishes {
  const known = read.get(request);
  if (known?.kind === kind) return known.wishes;
  const wishes = readWishes(kind, request);
  read.set(request, { kind, wishes });
  return wishes;
}

function readWishes(kind: Kind, request: KlingRequest): Wishes {
  if (kind.startsWith('new-') || kind.startsWith('solution-')) return wishesOfNew(request);
  const body = legacyBody.parse(request);
  const series = body.result_type === 'series' ? (body.series_amount === 'auto' ? 9 : body.series_amount) : undefined;
  return {
    model: body.model_name,
    seconds: body.duration,
    resolution: body.mode === undefined ? body.resolution : (MODES[body.mode] ?? body.mode),
    sound: body.sound === 'on',
    firstFrame: body.image !== undefined || body.image_list.some(({ type }) => type === 'first_frame'),
    lastFrame: body.image_tail !== undefined || body.image_list.some(({ type }) => type === 'end_frame'),
    referenceVideo: body.video_list[0]?.refer_type,
    multiShot: body.multi_shot,
    shots: body.multi_prompt.map(({ duration }) => duration),
    pictures: series ?? body.n,
    images: body.image_list.length + body.subject_image_list.length + (body.image === undefined ? 0 : 1),
    elements: body.element_list.length,
    voices: body.voice_list.length,
    fields: LEGACY_FIELDS,
  };
}

function wishesOfNew(request: KlingRequest): Wishes {
  const { model_name: model, contents, settings } = newBody.parse(request);
  const count = (type: string) => contents.filter((content) => content.type === type).length;
  const referenceVideo = count('base_video') > 0 ? 'base' : count('feature_video') > 0 ? 'feature' : undefined;
  return {
    model,
    seconds: settings.duration ?? 5,
    resolution: settings.resolution ?? '720p',
    sound: settings.audio === 'native',
    firstFrame: count('first_frame') > 0,
    lastFrame: count('last_frame') > 0,
    referenceVideo,
    multiShot: settings.multi_shot ?? false,
    shots: [],
    pictures: 1,
    images: count('refer_image'),
    elements: count('element'),
    voices: count('voice'),
    fields: NEW_FIELDS,
  };
}
