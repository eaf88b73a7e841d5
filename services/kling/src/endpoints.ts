import { z } from 'zod';

/** The kinds of task that this client makes: every one of the vendor's three families. */
export const KINDS = [
  'text-to-image',
  'omni-image',
  'multi-image-to-image',
  'image-expand',
  'multi-shot-image',
  'virtual-try-on',
  'text-to-video',
  'image-to-video',
  'omni-video',
  'multi-image-to-video',
  'motion-control',
  'multi-elements',
  'video-extend',
  'lip-sync',
  'face-lip-sync',
  'avatar',
  'effects',
  'text-to-audio',
  'video-to-audio',
  'element',
  'voice',
  'new-text-to-video',
  'new-image-to-video',
  'new-omni-video',
  'new-motion-control',
  'solution-try-on',
  'solution-clothing',
  'solution-goods',
  'solution-talking-agent',
  'solution-subtitle',
] as const;
export const kindSchema = z.enum(KINDS);
export type Kind = z.infer<typeof kindSchema>;

/** What a task gives in the first place; some give more besides. */
export type ResultGroup = 'images' | 'videos' | 'audios' | 'elements' | 'voices';

export interface Endpoint {
  /** Create here. Legacy: query below it. New: the model follows as the last part. */
  readonly path: string;
  /** How bodies and replies are shaped, and what is asked for a task. New and solutions take an API key alone. */
  readonly family: 'legacy' | 'new' | 'solutions';
  readonly result: ResultGroup;
}

const legacy = (path: string, result: ResultGroup): Endpoint => ({ path, family: 'legacy', result });
const newer = (path: string): Endpoint => ({ path, family: 'new', result: 'videos' });
const solution = (path: string, result: ResultGroup): Endpoint => ({ path, family: 'solutions', result });

/** Source: the vendor's pages, 2026-09-20; multi-image-to-video, video-extend and lip-sync of spring 2026. */
export const ENDPOINTS: Readonly<Record<Kind, Endpoint>> = {
  'text-to-image': legacy('/v1/images/generations', 'images'),
  'omni-image': legacy('/v1/images/omni-image', 'images'),
  'multi-image-to-image': legacy('/v1/images/multi-image2image', 'images'),
  'image-expand': legacy('/v1/images/editing/expand', 'images'),
  'multi-shot-image': legacy('/v1/general/ai-multi-shot', 'images'),
  'virtual-try-on': legacy('/v1/images/kolors-virtual-try-on', 'images'),
  'text-to-video': legacy('/v1/videos/text2video', 'videos'),
  'image-to-video': legacy('/v1/videos/image2video', 'videos'),
  'omni-video': legacy('/v1/videos/omni-video', 'videos'),
  'multi-image-to-video': legacy('/v1/videos/multi-image2video', 'videos'),
  'motion-control': legacy('/v1/videos/motion-control', 'videos'),
  'multi-elements': legacy('/v1/videos/multi-elements', 'videos'),
  'video-extend': legacy('/v1/videos/video-extend', 'videos'),
  'lip-sync': legacy('/v1/videos/lip-sync', 'videos'),
  'face-lip-sync': legacy('/v1/videos/advanced-lip-sync', 'videos'),
  avatar: legacy('/v1/videos/avatar/image2video', 'videos'),
  effects: legacy('/v1/videos/effects', 'videos'),
  'text-to-audio': legacy('/v1/audio/text-to-audio', 'audios'),
  'video-to-audio': legacy('/v1/audio/video-to-audio', 'audios'),
  element: legacy('/v1/general/advanced-custom-elements', 'elements'),
  voice: legacy('/v1/general/custom-voices', 'voices'),
  'new-text-to-video': newer('/text-to-video'),
  'new-image-to-video': newer('/image-to-video'),
  'new-omni-video': newer('/omni-video'),
  'new-motion-control': newer('/motion-control'),
  'solution-try-on': solution('/solutions/virtual_try_on', 'images'),
  'solution-clothing': solution('/solutions/e-commerce/clothing_dupe', 'videos'),
  'solution-goods': solution('/solutions/e-commerce/goods_studio', 'videos'),
  'solution-talking-agent': solution('/solutions/talking_agent', 'videos'),
  'solution-subtitle': solution('/solutions/drama_subtitle', 'videos'),
};
