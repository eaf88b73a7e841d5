import { z } from 'zod';
import { mediaUrl, mode, openName, optionalPrompt, picture, sound, vendorId, watermark } from './fields.ts';

const milliseconds = z.int().min(0);
const volume = z.number().min(0).max(2).optional();

/** The older call, in one step. */
export const lipSync = z.object({
  input: z.object({
    video_id: vendorId.optional(),
    video_url: mediaUrl.optional(),
    mode: z.enum(['text2video', 'audio2video']),
    text: z.string().max(120).optional(),
    voice_id: vendorId.optional(),
    voice_language: z.enum(['zh', 'en']).optional(),
    voice_speed: z.number().min(0.8).max(2).optional(),
    audio_type: z.enum(['file', 'url']).optional(),
    audio_file: sound.optional(),
    audio_url: mediaUrl.optional(),
  }),
});

/** Faces are found first (`identifyFace`); the session is from there. */
export const faceLipSync = z.object({
  session_id: vendorId,
  face_choose: z
    .array(
      z.object({
        face_id: vendorId,
        audio_id: vendorId.optional(),
        sound_file: sound.optional(),
        sound_start_time: milliseconds,
        sound_end_time: milliseconds,
        sound_insert_time: milliseconds,
        sound_volume: volume,
        original_audio_volume: volume,
      }),
    )
    .length(1),
  watermark_info: watermark,
});

export const avatar = z.object({
  image: picture,
  audio_id: vendorId.optional().describe('Of a text that was spoken by this account, not older than 30 days'),
  sound_file: sound.optional(),
  prompt: optionalPrompt,
  mode: mode.default('std'),
  watermark_info: watermark,
});

export const textToAudio = z.object({
  prompt: z.string().trim().min(1).max(200),
  duration: z.number().min(3).max(10).describe('Seconds, 3 to 10'),
});

export const videoToAudio = z.object({
  video_id: vendorId.optional(),
  video_url: mediaUrl.optional().describe('mp4 or mov, 3 to 20 s, 100 MB'),
  sound_effect_prompt: z.string().max(200).optional(),
  bgm_prompt: z.string().max(200).optional(),
  asmr_mode: z.boolean().optional(),
});

export const textToSpeech = z.object({
  text: z.string().trim().min(1).max(1000),
  voice_id: openName('From the catalogue of speech voices, not of preset voices'),
  voice_language: z.enum(['zh', 'en']).default('zh'),
  voice_speed: z.number().min(0.8).max(2).optional(),
});
