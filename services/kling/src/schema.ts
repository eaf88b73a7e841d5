import { z } from 'zod';

/**
 * Requests with the vendor's limits (page of 2026-09-20). Model ids, modes and
 * durations are open strings: the vendor adds values faster than this is
 * released, and answers 1201 for those it does not know. Ranges that never
 * changed are checked here, so that a wrong number costs no round trip.
 */
export const IMAGE_ASPECT_RATIOS = ['16:9', '9:16', '1:1', '4:3', '3:4', '3:2', '2:3', '21:9'] as const;
export const VIDEO_ASPECT_RATIOS = ['16:9', '9:16', '1:1'] as const;

const PROMPT_LIMIT = 2500;
/** Base64 of the vendor's 10 MB for one picture. */
const PICTURE_LIMIT = 14_000_000;

const openName = (about: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'letters, digits, dots, dashes and underscores only, at most 64')
    .describe(about);
const prompt = z.string().trim().min(1).max(PROMPT_LIMIT);
const negativePrompt = z.string().max(PROMPT_LIMIT).describe('What must not be seen');
const picture = z.string().min(1).max(PICTURE_LIMIT).describe('An http(s) URL, or the picture itself in Base64');
const cfgScale = z.number().min(0).max(1).describe('How closely the prompt is followed, 0 to 1; the vendor takes 0.5');
const duration = z
  .union([z.string(), z.int()])
  .transform(String)
  .pipe(z.string().regex(/^\d{1,2}$/, 'whole seconds, for example "5"'))
  .describe('Seconds, as text: "5" or "10", more by model');
const mode = openName('std (720p), pro (1080p) or 4k, by model');
const fidelity = z.number().min(0).max(1);

const textToImage = z.object({
  prompt: prompt.describe('What to draw'),
  negative_prompt: negativePrompt.optional(),
  model_name: openName('For example kling-v3, kling-v2-1').default('kling-v3'),
  aspect_ratio: z.enum(IMAGE_ASPECT_RATIOS).default('16:9'),
  n: z.int().min(1).max(9).default(1).describe('How many pictures; each is paid'),
  resolution: z.enum(['1k', '2k']).optional(),
  image: picture.optional(),
  image_reference: z.enum(['subject', 'face']).optional(),
  image_fidelity: fidelity.optional(),
  human_fidelity: fidelity.optional(),
});

const textToVideo = z.object({
  prompt: prompt.describe('What happens'),
  negative_prompt: negativePrompt.optional(),
  model_name: openName('For example kling-v2-5-turbo, kling-v2-6, kling-v3').default('kling-v2-5-turbo'),
  cfg_scale: cfgScale.optional(),
  mode: mode.default('std'),
  aspect_ratio: z.enum(VIDEO_ASPECT_RATIOS).default('16:9'),
  duration: duration.default('5'),
  sound: z.enum(['on', 'off']).optional(),
});

const imageToVideo = z.object({
  image: picture.optional().describe('The first frame: an http(s) URL, or the picture itself in Base64'),
  image_tail: picture.optional().describe('The last frame'),
  prompt: z.string().trim().max(PROMPT_LIMIT).optional(),
  negative_prompt: negativePrompt.optional(),
  model_name: openName('For example kling-v2-5-turbo, kling-v2-6, kling-v3').default('kling-v2-5-turbo'),
  cfg_scale: cfgScale.optional(),
  mode: mode.default('std'),
  duration: duration.default('5'),
  sound: z.enum(['on', 'off']).optional(),
});

const virtualTryOn = z.object({
  human_image: picture.describe('The person'),
  cloth_image: picture.describe('The garment'),
  model_name: openName('kolors-virtual-try-on-v1 or -v1-5').default('kolors-virtual-try-on-v1-5'),
});

/** Schema of each kind's request. Unknown fields are left out, as nothing upstream would read them. */
export const REQUESTS = {
  'text-to-image': textToImage,
  'text-to-video': textToVideo,
  'image-to-video': imageToVideo.refine((body) => body.image !== undefined || body.image_tail !== undefined, {
    path: ['image'],
    message: 'an image or an image_tail is needed',
  }),
  'virtual-try-on': virtualTryOn,
} as const;

export type TextToImageRequest = z.infer<typeof textToImage>;
export type TextToVideoRequest = z.infer<typeof textToVideo>;
export type ImageToVideoRequest = z.infer<typeof imageToVideo>;
export type VirtualTryOnRequest = z.infer<typeof virtualTryOn>;
export type KlingRequest = TextToImageRequest | TextToVideoRequest | ImageToVideoRequest | VirtualTryOnRequest;
