import { z } from 'zod';
import { memoised } from '../memoised.ts';

/**
 * Arguments of the eight original tools, by their original names. All schemas are
 * made once: a server is built for each request, and building them there costs
 * ten times the request itself.
 */
const PROMPT_LIMIT = 2500;
const prompt = z.string().trim().min(1).max(PROMPT_LIMIT);
const picture = z.string().min(1).max(14_000_000);
const seed = z.int().optional().describe('Accepted from older clients; Kling has no seed, so it changes nothing');
const cfgScale = z
  .number()
  .min(0)
  .max(1)
  .optional()
  .describe('How closely the prompt is followed, 0 to 1. Leave it out unless the user asks; newer models ignore it');
const duration = z
  .union([z.literal(5), z.literal(10)])
  .default(5)
  .describe('Length of the video in seconds');

export const textToImageArguments = memoised(
  z.object({
    prompt: prompt.describe('What to draw, in detail'),
    aspect_ratio: z
      .enum(['1:1', '16:9', '9:16', '4:3', '3:4', '3:2', '2:3', '21:9'])
      .default('1:1')
      .describe('Width to height'),
    negative_prompt: z.string().max(PROMPT_LIMIT).optional().describe('What must not be in the picture'),
    cfg_scale: z
      .number()
      .optional()
      .describe('Accepted from older clients; Kling takes none for pictures, so it changes nothing'),
    seed,
  }),
);

export const textToVideoArguments = memoised(
  z.object({
    prompt: prompt.describe('What happens in the video, in detail'),
    aspect_ratio: z.enum(['16:9', '9:16', '1:1']).default('16:9').describe('Width to height'),
    duration,
    cfg_scale: cfgScale,
    seed,
  }),
);

export const imageToVideoArguments = memoised(
  z.object({
    image_url: picture.describe('First frame: an http(s) URL, or the picture itself in Base64'),
    prompt: z.string().trim().max(PROMPT_LIMIT).optional().describe('What happens in the video'),
    duration,
    cfg_scale: cfgScale,
    seed,
  }),
);

export const virtualTryOnArguments = memoised(
  z.object({
    person_image: picture.describe('The person: an http(s) URL, or the picture itself in Base64'),
    garment_image: picture.describe('The garment: an http(s) URL, or the picture itself in Base64'),
    category: z
      .enum(['tops', 'bottoms', 'dresses', 'outerwear'])
      .default('tops')
      .describe('Accepted from older clients; Kling recognises the garment by itself'),
  }),
);

const taskId = z.string().min(1).max(200).describe('The id that a create tool returned');

export const taskArguments = memoised(z.object({ task_id: taskId }));

export const WAIT = { defaultSeconds: 300, maxSeconds: 600, pollSeconds: 5 } as const;

export const waitArguments = memoised(
  z.object({
    task_id: taskId,
    timeout: z
      .number()
      .min(1)
      .max(WAIT.maxSeconds)
      .default(WAIT.defaultSeconds)
      .describe('Longest wait in seconds; the task goes on when it is over'),
    poll_interval: z
      .number()
      .min(1)
      .max(60)
      .default(WAIT.pollSeconds)
      .describe('Seconds between two progress messages; the end of the task is noticed at once'),
  }),
);
