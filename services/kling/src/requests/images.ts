import { z } from 'zod';
import {
  count,
  elements,
  fidelity,
  IMAGE_ASPECT_RATIOS,
  negativePrompt,
  openName,
  optionalPrompt,
  picture,
  prompt,
  watermark,
} from './fields.ts';

export const textToImage = z.object({
  prompt: prompt.describe('What to draw'),
  negative_prompt: negativePrompt.optional(),
  model_name: openName('For example kling-v3, kling-v2-1').default('kling-v3'),
  aspect_ratio: z.enum(IMAGE_ASPECT_RATIOS).default('16:9'),
  n: count,
  resolution: z.enum(['1k', '2k']).optional(),
  image: picture.optional(),
  image_reference: z.enum(['subject', 'face']).optional(),
  image_fidelity: fidelity.optional(),
  human_fidelity: fidelity.optional(),
  element_list: elements.max(10).optional(),
  watermark_info: watermark,
});

export const omniImage = z.object({
  prompt: prompt.describe('What to draw; pictures are <<<image_1>>>, elements <<<element_1>>>'),
  model_name: openName('kling-image-o1 or kling-v3-omni').default('kling-image-o1'),
  image_list: z
    .array(z.object({ image: picture }))
    .max(10)
    .optional(),
  element_list: elements.max(10).optional(),
  resolution: z.enum(['1k', '2k', '4k']).optional(),
  result_type: z.enum(['single', 'series']).optional(),
  n: count,
  series_amount: z
    .union([z.int().min(2).max(9), z.literal('auto')])
    .optional()
    .describe('Pictures of a series; only with result_type series'),
  aspect_ratio: z.enum([...IMAGE_ASPECT_RATIOS, 'auto']).optional(),
  watermark_info: watermark,
});

export const multiImageToImage = z.object({
  model_name: openName('kling-v2-1').default('kling-v2-1'),
  subject_image_list: z
    .array(z.object({ subject_image: picture }))
    .min(1)
    .max(4),
  scene_image: picture.optional(),
  style_image: picture.optional(),
  prompt: optionalPrompt,
  n: count,
  aspect_ratio: z.enum(IMAGE_ASPECT_RATIOS).optional(),
  watermark_info: watermark,
});

const expansion = z.number().min(0).max(2).describe('Of the height (up, down) or width (left, right), 0 to 2');
export const imageExpand = z.object({
  image: picture,
  up_expansion_ratio: expansion,
  down_expansion_ratio: expansion,
  left_expansion_ratio: expansion,
  right_expansion_ratio: expansion,
  prompt: optionalPrompt,
  n: count,
  watermark_info: watermark,
});

export const multiShotImage = z.object({
  element_frontal_image: picture.describe('The front of a person or thing; gives its other sides'),
});

export const virtualTryOn = z.object({
  human_image: picture.describe('The person'),
  cloth_image: picture.describe('The garment'),
  model_name: openName('kolors-virtual-try-on-v1 or -v1-5').default('kolors-virtual-try-on-v1-5'),
});
