import { z } from 'zod';

export const IMAGE_ASPECT_RATIOS = ['16:9', '9:16', '1:1', '4:3', '3:4', '3:2', '2:3', '21:9'] as const;
export const VIDEO_ASPECT_RATIOS = ['16:9', '9:16', '1:1'] as const;

export const PROMPT_LIMIT = 2500;
/** Base64 of the vendor's 10 MB for one picture. */
const PICTURE_LIMIT = 14_000_000;
/** Base64 of the vendor's 5 MB for a sound. */
const SOUND_LIMIT = 7_000_000;

export const openName = (about: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'letters, digits, dots, dashes and underscores only, at most 64')
    .describe(about);
export const modelName = openName('Id of a model; those that are not known here are sent on');
export const prompt = z.string().trim().min(1).max(PROMPT_LIMIT);
export const optionalPrompt = z.string().trim().max(PROMPT_LIMIT).optional();
export const negativePrompt = z.string().max(PROMPT_LIMIT).describe('What must not be seen');
export const picture = z
  .string()
  .min(1)
  .max(PICTURE_LIMIT)
  .describe('An http(s) URL, upload:<id> of an upload, or the picture itself in Base64');
/** `upload:` is for a service in between that puts the file in; Kling itself does not take it. */
export const mediaUrl = z
  .url({ protocol: /^(https?|upload)$/ })
  .max(4096)
  .describe('An http(s) URL that is open to everybody, or upload:<id> of an upload');
export const sound = z
  .string()
  .min(1)
  .max(SOUND_LIMIT)
  .describe('An http(s) URL, upload:<id> of an upload, or the sound itself in Base64');
/** Ids of the vendor: long numbers that a double cannot hold, so they are text; short numbers are taken too. */
export const vendorId = z.union([z.string(), z.int()]).transform(String).pipe(z.string().min(1).max(128));
/** Unix time; the vendor takes numbers and text. */
export const milliseconds = z.union([
  z.int().min(0),
  z
    .string()
    .regex(/^\d{1,15}$/, 'milliseconds since 1970')
    .transform(Number),
]);
export const cfgScale = z
  .number()
  .min(0)
  .max(1)
  .describe('How closely the prompt is followed, 0 to 1; the vendor takes 0.5');
export const duration = z
  .union([z.string(), z.int()])
  .transform(String)
  .pipe(z.string().regex(/^\d{1,2}$/, 'whole seconds, for example "5"'))
  .describe('Seconds, as text: "5" or "10", more by model');
export const mode = openName('std (720p), pro (1080p) or 4k, by model');
export const soundSwitch = z.enum(['on', 'off']).describe('Whether the video has sound; costs more');
export const fidelity = z.number().min(0).max(1);
export const count = z.int().min(1).max(9).default(1).describe('How many pictures; each is paid');
export const watermark = z.object({ enabled: z.boolean() }).optional().describe('Gives a second file with a watermark');
export const elements = z.array(z.object({ element_id: vendorId }));
