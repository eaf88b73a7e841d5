import type { z } from 'zod';
import type { Kind } from './endpoints.ts';
import * as images from './requests/images.ts';
import * as library from './requests/library.ts';
import * as speech from './requests/speech.ts';
import * as structured from './requests/structured.ts';
import * as videos from './requests/videos.ts';

export { IMAGE_ASPECT_RATIOS, VIDEO_ASPECT_RATIOS } from './requests/fields.ts';

/** Exactly one of two fields, as the vendor wants it. */
const oneOf = (body: object, a: string, b: string) => a in body !== b in body;

/** Schema of each kind's request. Unknown fields are left out, as nothing upstream would read them. */
export const REQUESTS = {
  'text-to-image': images.textToImage,
  'omni-image': images.omniImage,
  'multi-image-to-image': images.multiImageToImage,
  'image-expand': images.imageExpand,
  'multi-shot-image': images.multiShotImage,
  'virtual-try-on': images.virtualTryOn,
  'text-to-video': videos.textToVideo.refine((body) => body.prompt !== undefined || body.multi_prompt !== undefined, {
    path: ['prompt'],
    message: 'a prompt or a multi_prompt is needed',
  }),
  'image-to-video': videos.imageToVideo.refine((body) => body.image !== undefined || body.image_tail !== undefined, {
    path: ['image'],
    message: 'an image or an image_tail is needed',
  }),
  'omni-video': videos.omniVideo.refine((body) => body.prompt !== undefined || body.multi_prompt !== undefined, {
    path: ['prompt'],
    message: 'a prompt or a multi_prompt is needed',
  }),
  'multi-image-to-video': videos.multiImageToVideo,
  'motion-control': videos.motionControl,
  'multi-elements': videos.multiElements,
  'video-extend': videos.videoExtend,
  'lip-sync': speech.lipSync.refine(({ input }) => oneOf(input, 'video_id', 'video_url'), {
    path: ['input', 'video_id'],
    message: 'either a video_id or a video_url is needed',
  }),
  'face-lip-sync': speech.faceLipSync.refine(({ face_choose: [face] }) => oneOf(face ?? {}, 'audio_id', 'sound_file'), {
    path: ['face_choose', 0, 'audio_id'],
    message: 'either an audio_id or a sound_file is needed',
  }),
  avatar: speech.avatar.refine((body) => oneOf(body, 'audio_id', 'sound_file'), {
    path: ['audio_id'],
    message: 'either an audio_id or a sound_file is needed',
  }),
  effects: videos.effects.refine(({ input }) => oneOf(input, 'image', 'images'), {
    path: ['input', 'image'],
    message: 'either an image or two images are needed',
  }),
  'text-to-audio': speech.textToAudio,
  'video-to-audio': speech.videoToAudio.refine((body) => oneOf(body, 'video_id', 'video_url'), {
    path: ['video_id'],
    message: 'either a video_id or a video_url is needed',
  }),
  element: library.element.refine(
    (body) =>
      body.reference_type === 'image_refer'
        ? body.element_image_list !== undefined
        : body.element_video_list !== undefined,
    { path: ['reference_type'], message: 'element_image_list or element_video_list has to go with it' },
  ),
  voice: library.voice.refine((body) => oneOf(body, 'voice_url', 'video_id'), {
    path: ['voice_url'],
    message: 'either a voice_url or a video_id is needed',
  }),
  'new-text-to-video': structured.newTextToVideo,
  'new-image-to-video': structured.newImageToVideo,
  'new-omni-video': structured.newOmniVideo,
  'new-motion-control': structured.newMotionControl,
  'solution-try-on': structured.solutionTryOn,
  'solution-clothing': structured.solutionClothing,
  'solution-goods': structured.solutionGoods,
  'solution-talking-agent': structured.solutionTalkingAgent,
  'solution-subtitle': structured.solutionSubtitle,
} as const satisfies Record<Kind, z.ZodType<object>>;

export type TextToImageRequest = z.infer<typeof images.textToImage>;
export type TextToVideoRequest = z.infer<typeof videos.textToVideo>;
export type ImageToVideoRequest = z.infer<typeof videos.imageToVideo>;
export type VirtualTryOnRequest = z.infer<typeof images.virtualTryOn>;
export type KlingRequest = z.output<(typeof REQUESTS)[Kind]>;
