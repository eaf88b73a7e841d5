import { z } from 'zod';
import {
  cfgScale,
  duration,
  elements,
  mediaUrl,
  mode,
  negativePrompt,
  openName,
  optionalPrompt,
  PROMPT_LIMIT,
  picture,
  prompt,
  soundSwitch,
  VIDEO_ASPECT_RATIOS,
  vendorId,
  watermark,
} from './fields.ts';

const axis = z.number().min(-10).max(10).optional();
const cameraControl = z
  .object({
    type: openName('simple, down_back, forward_up, right_turn_forward or left_turn_forward').optional(),
    config: z
      .object({ horizontal: axis, vertical: axis, pan: axis, tilt: axis, roll: axis, zoom: axis })
      .optional()
      .describe('With type simple: exactly one of them is not 0'),
  })
  .optional();
const shots = {
  multi_shot: z.boolean().optional().describe('Several shots in one video'),
  shot_type: openName('customize (with multi_prompt) or intelligence').optional(),
  multi_prompt: z
    .array(z.object({ index: z.int().min(1).max(6), prompt: z.string().trim().min(1).max(512), duration }))
    .min(1)
    .max(6)
    .optional()
    .describe('One entry a shot; their seconds are those of the video'),
};
const voices = z
  .array(z.object({ voice_id: vendorId }))
  .max(2)
  .optional()
  .describe('Voices, in the prompt <<<voice_1>>>; only with sound');
const videoModel = openName('For example kling-v2-5-turbo, kling-v2-6, kling-v3').default('kling-v2-5-turbo');

export const textToVideo = z.object({
  prompt: prompt.optional().describe('What happens; not needed with multi_prompt'),
  negative_prompt: negativePrompt.optional(),
  model_name: videoModel,
  cfg_scale: cfgScale.optional(),
  mode: mode.default('std'),
  aspect_ratio: z.enum(VIDEO_ASPECT_RATIOS).default('16:9'),
  duration: duration.default('5'),
  sound: soundSwitch.optional(),
  ...shots,
  camera_control: cameraControl,
  voice_list: voices,
  watermark_info: watermark,
});

export const imageToVideo = z.object({
  image: picture.optional().describe('The first frame: an http(s) URL, or the picture itself in Base64'),
  image_tail: picture.optional().describe('The last frame'),
  prompt: optionalPrompt,
  negative_prompt: negativePrompt.optional(),
  model_name: videoModel,
  cfg_scale: cfgScale.optional(),
  mode: mode.default('std'),
  duration: duration.default('5'),
  sound: soundSwitch.optional(),
  ...shots,
  camera_control: cameraControl,
  element_list: elements.max(3).optional(),
  voice_list: voices,
  static_mask: picture.optional(),
  dynamic_masks: z
    .array(
      z.object({
        mask: picture,
        trajectories: z
          .array(z.object({ x: z.number(), y: z.number() }))
          .min(2)
          .max(77),
      }),
    )
    .max(6)
    .optional(),
  watermark_info: watermark,
});

export const omniVideo = z.object({
  model_name: openName('kling-video-o1 or kling-v3-omni').default('kling-video-o1'),
  prompt: optionalPrompt.describe('References are <<<image_1>>>, <<<element_1>>>, <<<video_1>>>'),
  image_list: z
    .array(z.object({ image_url: picture, type: z.enum(['first_frame', 'end_frame']).optional() }))
    .max(7)
    .optional(),
  element_list: elements.max(7).optional(),
  video_list: z
    .array(
      z.object({
        video_url: mediaUrl,
        refer_type: z.enum(['base', 'feature']).default('base').describe('base: edit it; feature: take after it'),
        keep_original_sound: z.enum(['yes', 'no']).optional(),
      }),
    )
    .max(1)
    .optional(),
  sound: soundSwitch.optional(),
  mode: mode.default('pro'),
  aspect_ratio: z.enum(VIDEO_ASPECT_RATIOS).optional(),
  duration: duration.optional(),
  ...shots,
  watermark_info: watermark,
});

export const multiImageToVideo = z.object({
  model_name: openName('kling-v1-6').default('kling-v1-6'),
  image_list: z
    .array(z.object({ image: picture }))
    .min(1)
    .max(4),
  prompt,
  negative_prompt: negativePrompt.optional(),
  mode: mode.default('std'),
  duration: duration.default('5'),
  aspect_ratio: z.enum(VIDEO_ASPECT_RATIOS).default('16:9'),
  watermark_info: watermark,
});

export const motionControl = z.object({
  model_name: openName('kling-v2-6 or kling-v3').default('kling-v2-6'),
  prompt: optionalPrompt,
  image_url: picture.describe('Who moves'),
  video_url: mediaUrl.describe('The motion: mp4 or mov, 3 to 30 s (10 s with character_orientation image)'),
  element_list: elements.max(1).optional(),
  keep_original_sound: z.enum(['yes', 'no']).optional(),
  character_orientation: z.enum(['image', 'video']),
  mode: mode.default('std'),
  watermark_info: watermark,
});

export const multiElements = z.object({
  session_id: vendorId.describe('From the selection, which is made before'),
  edit_mode: z.enum(['addition', 'swap', 'removal']),
  image_list: z
    .array(z.object({ image: picture }))
    .max(2)
    .optional(),
  prompt,
  negative_prompt: negativePrompt.optional(),
  mode: mode.default('std'),
  duration: duration.default('5'),
  watermark_info: watermark,
});

export const videoExtend = z.object({
  video_id: vendorId.describe('A video of Kling, by kling-v1, v1-5 or v1-6, not older than 30 days'),
  prompt: z.string().trim().max(PROMPT_LIMIT).optional(),
  negative_prompt: negativePrompt.optional(),
  cfg_scale: cfgScale.optional(),
});

export const effects = z.object({
  effect_scene: openName('Name of the effect; they come and go'),
  input: z.looseObject({
    image: picture.optional(),
    images: z.array(picture).length(2).optional().describe('For effects with two persons'),
    model_name: openName('Only for older effects').optional(),
    mode: mode.optional(),
    duration: duration.optional(),
  }),
  watermark_info: watermark,
});
