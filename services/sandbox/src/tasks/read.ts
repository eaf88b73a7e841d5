import { createHash } from 'node:crypto';
import { ENDPOINTS, type Kind, type KlingRequest, MODELS, wishesOf } from '@klingapi/kling';
import { z } from 'zod';
import { GIVEN_SECONDS, type Price, price } from './price.ts';
import type { SandboxTask } from './task.ts';

export type ReadRequest = Price &
  Pick<
    SandboxTask,
    | 'kind'
    | 'model'
    | 'seed'
    | 'name'
    | 'aspectRatio'
    | 'count'
    | 'isSeries'
    | 'seconds'
    | 'hasSound'
    | 'hasWatermark'
    | 'parentVideo'
  >;

const text = z.string().optional().catch(undefined);
const flag = z
  .looseObject({ enabled: z.boolean().catch(false) })
  .optional()
  .catch(undefined);
const wanted = z.looseObject({
  prompt: z.string().catch(''),
  aspect_ratio: text,
  settings: z.looseObject({ aspect_ratio: text }).catch({}),
  options: z.looseObject({ watermark_info: flag, watermark: flag }).catch({}),
  watermark_info: flag,
  result_type: text,
  keep_original_sound: text,
  element_name: text,
  voice_name: text,
  video_id: text,
});

/**
 * What of a request decides its result and price. Pictures that come in are part
 * of the seed as a hash: tasks are kept, by the thousand.
 */
export function readRequest(kind: Kind, request: KlingRequest): ReadRequest {
  const body = wanted.parse(request);
  const wishes = wishesOf(kind, request);
  const count = ENDPOINTS[kind].result === 'images' && kind !== 'multi-shot-image' ? wishes.pictures : 1;
  const seconds = wishes.seconds ?? GIVEN_SECONDS;
  const ratio = body.aspect_ratio ?? body.settings.aspect_ratio;
  const { watermark_info: one, watermark: other } = body.options;
  return {
    ...price(kind, request, count, seconds),
    kind,
    model: wishes.model ?? '',
    seed: `${body.prompt.slice(0, 200)}\n${hash(JSON.stringify(request))}`,
    name: body.element_name ?? body.voice_name ?? '',
    aspectRatio: ratio === undefined || ratio === 'auto' ? usualRatio(kind) : ratio,
    count,
    isSeries: body.result_type === 'series',
    seconds,
    hasSound: hasSound(kind, wishes.sound, wishes.model, body.keep_original_sound),
    hasWatermark: [body.watermark_info, one, other].some((each) => each?.enabled === true),
    parentVideo: kind === 'video-extend' ? body.video_id : undefined,
  };
}

/** Kinds whose videos speak or carry the sound of what was given. */
const SPEAKING: readonly Kind[] = [
  ...(['lip-sync', 'face-lip-sync', 'avatar', 'video-to-audio'] as const),
  ...(['solution-talking-agent', 'solution-goods', 'solution-clothing', 'solution-subtitle'] as const),
];

function hasSound(kind: Kind, asked: boolean, model: string | undefined, original: string | undefined): boolean {
  const isAlways = MODELS[kind].some(({ id, audio }) => id === model && audio === 'always');
  return asked || isAlways || original === 'yes' || SPEAKING.includes(kind);
}

function usualRatio(kind: Kind): string {
  if (kind === 'virtual-try-on' || kind === 'solution-try-on') return '3:4';
  if (kind === 'solution-clothing' || kind === 'solution-talking-agent') return '9:16';
  return '16:9';
}

function hash(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}
