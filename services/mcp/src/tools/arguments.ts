import { z } from 'zod';
import { memoised } from '../memoised.ts';

/**
 * Arguments of the tools; those of the eight original ones have their original names. All schemas are
 * made once: a server is built for each request, and building them there costs
 * ten times the request itself. They are strict: an argument that nobody knows is
 * a mistake that would otherwise be paid for.
 */
const PROMPT_LIMIT = 2500;
/** Models copy the form of what they see. */
const like =
  (...examples: readonly [string, ...string[]]) =>
  <S extends z.ZodType>(schema: S): S =>
    schema.meta({ examples: [...examples] });
const SCENE = 'A red fox walks through fresh snow at dawn, soft light, low camera';
const prompt = z.string().trim().min(1).max(PROMPT_LIMIT).apply(like(SCENE));
const motion = z.string().trim().max(PROMPT_LIMIT).apply(like('She turns around and smiles')).optional();
const picture = z.string().min(1).max(14_000_000).apply(like('https://example.com/person.png'));
const seed = z.int().optional().describe('Accepted from older clients; Kling has no seed, so it changes nothing');
const cfgScale = z
  .number()
  .min(0)
  .max(1)
  .optional()
  .describe('How closely the prompt is followed, 0 to 1. Leave it out unless the user asks; newer models ignore it');
const duration = z
  .int()
  .min(3)
  .max(15)
  .default(5)
  .describe('Length of the video in seconds: 5 or 10, and 3 to 15 with kling-v3');
const negativePrompt = (of: string) =>
  z
    .string()
    .max(PROMPT_LIMIT)
    .apply(like('text, blur, extra fingers'))
    .optional()
    .describe(`What must not be in the ${of}`);
const name = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'letters, digits, dots, dashes and underscores only');
const modelName = (kind: string) =>
  name
    .apply(like('kling-v3'))
    .optional()
    .describe(`A model for ${kind} from list_models_tool. Leave it out unless the user asks`);
const pictureCount = z.int().min(1).max(9).default(1).describe('How many pictures; each is paid');
const videoOptions = (kind: string) => ({
  model_name: modelName(kind),
  quality: z
    .enum(['720p', '1080p', '4k'])
    .optional()
    .describe('720p without it; more costs more, and 4k is for kling-v3 alone'),
  sound: z
    .boolean()
    .optional()
    .describe('Whether the video has sound, by models that can make it: kling-v3, or kling-v2-6 in 1080p. Costs more'),
  negative_prompt: negativePrompt('video'),
});

export const textToImageArguments = z.strictObject({
  prompt: prompt.describe('What to draw, in detail'),
  aspect_ratio: z
    .enum(['1:1', '16:9', '9:16', '4:3', '3:4', '3:2', '2:3', '21:9'])
    .default('1:1')
    .describe('Width to height'),
  negative_prompt: negativePrompt('picture'),
  model_name: modelName('text-to-image'),
  resolution: z.enum(['1k', '2k']).optional().describe('1k without it'),
  count: pictureCount,
  cfg_scale: z
    .number()
    .optional()
    .describe('Accepted from older clients; Kling takes none for pictures, so it changes nothing'),
  seed,
});

export const textToVideoArguments = z.strictObject({
  prompt: prompt.describe('What happens in the video, in detail'),
  aspect_ratio: z.enum(['16:9', '9:16', '1:1']).default('16:9').describe('Width to height'),
  duration,
  cfg_scale: cfgScale,
  ...videoOptions('text-to-video'),
  seed,
});

export const imageToVideoArguments = z.strictObject({
  image_url: picture.describe('First frame: an http(s) URL, or the picture itself in Base64'),
  prompt: motion.describe('What happens in the video'),
  duration,
  cfg_scale: cfgScale,
  last_frame: picture.optional().describe('Picture that the video ends with: with kling-v3, or in 1080p'),
  ...videoOptions('image-to-video'),
  seed,
});

export const virtualTryOnArguments = z.strictObject({
  person_image: picture.describe('The person: an http(s) URL, or the picture itself in Base64'),
  garment_image: picture.describe('The garment: an http(s) URL, or the picture itself in Base64'),
  category: z
    .enum(['tops', 'bottoms', 'dresses', 'outerwear'])
    .default('tops')
    .describe('Accepted from older clients; Kling recognises the garment by itself'),
});

const pictureRatio = z.enum(['1:1', '16:9', '9:16', '4:3', '3:4', '3:2', '2:3', '21:9']);
const videoRatio = z.enum(['16:9', '9:16', '1:1']);
const mediaUrl = z
  .url({ protocol: /^https?$/ })
  .max(4096)
  .apply(like('https://example.com/clip.mp4'));
const sound = z.string().min(1).max(7_000_000).apply(like('https://example.com/voice.mp3'));
const elementIds = z
  .array(z.string().min(1).max(128).apply(like('860612345678')))
  .optional()
  .describe('Ids of persons or things that were kept before; in the prompt <<<element_1>>> and so on');
const kept = z.string().min(1).max(128);

export const imageFromImagesArguments = z.strictObject({
  prompt: prompt
    .apply(like('The person of <<<image_1>>> wears the hat of <<<image_2>>>'))
    .describe('What to draw; the pictures are <<<image_1>>>, <<<image_2>>> and so on'),
  images: z
    .array(picture)
    .min(1)
    .max(10)
    .describe('Pictures to start from: http(s) URLs, or the pictures themselves in Base64'),
  element_ids: elementIds,
  aspect_ratio: pictureRatio.optional().describe('Width to height; chosen by Kling without it'),
  resolution: z.enum(['1k', '2k']).optional().describe('1k without it'),
  count: pictureCount,
});

const expansion = (what: string) =>
  z.number().min(0).max(2).default(0).describe(`How much to add ${what}, as a share of the picture: 0.5 is half of it`);
export const expandImageArguments = z
  .strictObject({
    image: picture.describe('The picture: an http(s) URL, or the picture itself in Base64'),
    up: expansion('above'),
    down: expansion('below'),
    left: expansion('to the left'),
    right: expansion('to the right'),
    prompt: motion.describe('What the new parts show'),
    count: pictureCount,
  })
  .refine(({ up, down, left, right }) => up + down + left + right > 0, {
    path: ['up'],
    message: 'at least one side has to grow',
  });

export const imageViewsArguments = z.strictObject({
  image: picture.describe('The front of a person or thing: an http(s) URL, or the picture itself in Base64'),
});

export const videoFromReferencesArguments = z
  .strictObject({
    prompt: prompt
      .apply(like('<<<image_1>>> walks along the sea'))
      .describe(
        'What happens. Name what is given: <<<image_1>>> for pictures in order (first frame and last frame among them), <<<video_1>>>, <<<element_1>>>',
      ),
    images: z.array(picture).max(7).optional().describe('Pictures of who or what is to be seen'),
    first_frame: picture.optional().describe('Picture that the video begins with'),
    last_frame: picture.optional().describe('Picture that it ends with; needs a first frame'),
    element_ids: elementIds,
    video_url: mediaUrl.optional().describe('A video of 3 to 10 seconds, at an http(s) URL'),
    video_use: z
      .enum(['edit', 'follow'])
      .default('edit')
      .describe('edit: change this video as the prompt says; follow: make a new one after its motion or style'),
    keep_original_sound: z.boolean().optional().describe('Of the given video'),
    aspect_ratio: videoRatio.optional().describe('Width to height; 16:9 unless a frame or a video decides it'),
    duration: z.int().min(3).max(10).default(5).describe('Seconds; a video that is edited keeps its length'),
    quality: z.enum(['720p', '1080p']).default('720p').describe('1080p costs more'),
  })
  .refine(({ first_frame, last_frame }) => last_frame === undefined || first_frame !== undefined, {
    path: ['last_frame'],
    message: 'needs a first_frame',
  });

export const extendVideoArguments = z.strictObject({
  video_id: kept
    .apply(like('860612345678'))
    .describe('vendorId of the video in the result of a task; made within 30 days by kling-v1, v1-5 or v1-6'),
  prompt: motion.describe('How it goes on'),
});

export const motionTransferArguments = z.strictObject({
  image: picture.describe('Who is to move: an http(s) URL, or the picture itself in Base64'),
  video_url: mediaUrl.describe('The motion to copy: a video at an http(s) URL, 3 to 30 seconds'),
  orientation: z
    .enum(['image', 'video'])
    .default('image')
    .describe('Whose direction the person faces; with image the video has at most 10 seconds'),
  prompt: motion.describe('What else is to be seen'),
  quality: z.enum(['720p', '1080p']).default('720p').describe('1080p costs more'),
  keep_original_sound: z.boolean().optional().describe('Of the given video'),
});

export const videoEffectArguments = z.strictObject({
  effect: name
    .apply(like('bloombloom', 'hug'))
    .describe('Name of the effect as Kling lists it, e.g. bloombloom, or hug for two persons'),
  images: z
    .array(picture)
    .min(1)
    .max(2)
    .describe('One picture, or two for effects with two persons: http(s) URLs or Base64'),
});

export const talkingVideoArguments = z
  .strictObject({
    image: picture.optional().describe('A person who is to speak: an http(s) URL, or the picture itself in Base64'),
    video_url: mediaUrl.optional().describe('Instead of a picture: a video whose speaker gets other words'),
    audio: sound.optional().describe('What is said: a sound at an http(s) URL, or in Base64'),
    text: z
      .string()
      .trim()
      .min(1)
      .max(120)
      .apply(like('Good morning, and welcome'))
      .optional()
      .describe('Instead of a sound, for a video: words to speak'),
    voice_id: kept.apply(like('oversea_male1')).optional().describe('Voice of Kling that speaks the text'),
    language: z.enum(['zh', 'en']).default('en').describe('Of the text'),
    prompt: motion.describe('For a picture: how the person moves'),
  })
  .refine(({ image, video_url }) => (image === undefined) !== (video_url === undefined), {
    path: ['image'],
    message: 'either an image or a video_url is needed',
  })
  .refine(({ audio, text }) => (audio === undefined) !== (text === undefined), {
    path: ['audio'],
    message: 'either an audio or a text is needed',
  })
  .refine(({ image, text }) => image === undefined || text === undefined, {
    path: ['text'],
    message: 'a picture needs an audio; a text is for videos',
  })
  .refine(({ text, voice_id }) => text === undefined || voice_id !== undefined, {
    path: ['voice_id'],
    message: 'a text needs a voice',
  });

export const soundArguments = z
  .strictObject({
    prompt: z
      .string()
      .trim()
      .min(1)
      .max(200)
      .apply(like('Rain on a tin roof'))
      .optional()
      .describe('What is heard; for a video: its sound effects'),
    video_url: mediaUrl.optional().describe('A video that gets a sound, 3 to 20 seconds, at an http(s) URL'),
    music_prompt: z
      .string()
      .trim()
      .max(200)
      .apply(like('A slow guitar'))
      .optional()
      .describe('For a video: its background music'),
    duration: z.number().min(3).max(10).default(5).describe('Seconds; a video decides it itself'),
  })
  .refine(({ prompt: heard, video_url }) => heard !== undefined || video_url !== undefined, {
    path: ['prompt'],
    message: 'a prompt or a video_url is needed',
  });

const keptName = z.string().trim().min(1).max(20).apply(like('Ada')).describe('By which people find it again');

export const elementArguments = z.strictObject({
  name: keptName,
  description: z.string().trim().min(1).max(100).apply(like('A woman with red hair')).describe('What it is'),
  image: picture.describe('Its front: an http(s) URL, or the picture itself in Base64'),
  other_images: z.array(picture).min(1).max(3).describe('The same person or thing from other sides'),
});

export const voiceArguments = z.strictObject({
  name: keptName,
  audio_url: mediaUrl
    .apply(like('https://example.com/voice.mp3'))
    .describe('mp3, wav, mp4 or mov, 5 to 30 seconds of one voice, at an http(s) URL'),
});

const taskId = z
  .string()
  .min(1)
  .max(200)
  .apply(like('3f8a1c52-0b7d-4e6a-9c21-5d4e8f7a6b90'))
  .describe('The id that a create tool returned');

export const taskArguments = memoised(z.strictObject({ task_id: taskId }));

/** Many clients give up after 60 seconds, so who asks for nothing else is answered before. */
export const WAIT = { defaultSeconds: 50, maxSeconds: 600, pollSeconds: 5 } as const;

export const waitArguments = memoised(
  z.strictObject({
    task_id: taskId,
    timeout: z
      .number()
      .min(1)
      .max(WAIT.maxSeconds)
      .default(WAIT.defaultSeconds)
      .describe(
        'Longest wait in seconds; the task goes on when it is over, so wait again. Many clients give up after 60',
      ),
    poll_interval: z
      .number()
      .min(1)
      .max(60)
      .default(WAIT.pollSeconds)
      .describe('Seconds between two progress messages; the end of the task is noticed at once'),
  }),
);
