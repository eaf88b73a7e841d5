import { z } from 'zod';
import { media, openName, VIDEO_ASPECT_RATIOS, vendorId } from './fields.ts';

/**
 * The new and the solutions family: `contents`, `settings`, `options`. The model
 * is part of the path there; here it is `model_name`, like everywhere else.
 */
const content = z.looseObject({
  type: openName('prompt, first_frame, last_frame, refer_image, feature_video, base_video, element, voice, …'),
  id: z.string().max(64).optional().describe('Name of this entry for @id in the prompt'),
  text: z.string().max(3072).optional(),
  url: z.string().max(70_000_000).meta(media('any')).optional(),
  element_id: vendorId.optional(),
  voice_id: vendorId.optional(),
});
const contents = z.array(content).min(1).max(20);
const options = z.looseObject({ watermark_info: z.object({ enabled: z.boolean() }).optional() }).optional();
const seconds = z.int().min(3).max(60).optional();
const resolution = openName('720p, 1080p or 4k, by model').optional();
const audio = openName('off, native or original, by model').optional();
const aspectRatio = z.enum(VIDEO_ASPECT_RATIOS).optional();
const clip = { resolution, duration: seconds, audio, multi_shot: z.boolean().optional() };
const model = (usual: string) => openName(`For example ${usual}`).default(usual);

export const newTextToVideo = z.object({
  model_name: model('kling-3.0-turbo'),
  prompt: z.string().trim().min(1).max(3072),
  settings: z.looseObject({ ...clip, aspect_ratio: aspectRatio }).optional(),
  options,
});
export const newImageToVideo = z.object({
  model_name: model('kling-3.0-turbo'),
  contents,
  settings: z.looseObject(clip).optional(),
  options,
});
export const newOmniVideo = z.object({
  model_name: model('kling-3.0-omni'),
  contents,
  settings: z.looseObject({ ...clip, aspect_ratio: aspectRatio }).optional(),
  options,
});
export const newMotionControl = z.object({
  model_name: model('kling-3.0'),
  contents,
  settings: z.looseObject({ character_orientation: z.enum(['image', 'video']), resolution, audio }),
  options,
});

const solution = (settings: z.ZodType<Record<string, unknown>>) =>
  z.object({ contents, settings, options: z.looseObject({}).optional() });
export const solutionTryOn = solution(
  z.looseObject({
    keep_face: z.boolean().optional(),
    keep_pose: z.boolean().optional(),
    keep_background: z.boolean().optional(),
  }),
).partial({ settings: true });
export const solutionClothing = solution(z.looseObject({ resolution })).partial({ settings: true });
export const solutionGoods = solution(
  z.looseObject({
    resolution: openName('720p or 1080p'),
    aspect_ratio: z.enum(VIDEO_ASPECT_RATIOS),
    duration: z.union([z.literal(15), z.literal(30), z.literal(60)]),
  }),
);
export const solutionTalkingAgent = solution(z.looseObject({ voice_id: vendorId.optional() })).partial({
  settings: true,
});
export const solutionSubtitle = solution(z.looseObject({ target_cps: z.int().min(10).max(20).optional() })).partial({
  settings: true,
});
