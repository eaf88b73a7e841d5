import { z } from 'zod';
import { mediaUrl, picture, vendorId } from './fields.ts';

/** Persons and things that can be used again in prompts. */
export const element = z.object({
  element_name: z.string().trim().min(1).max(20),
  element_description: z.string().trim().min(1).max(100),
  reference_type: z.enum(['image_refer', 'video_refer']),
  element_image_list: z
    .object({
      frontal_image: picture,
      refer_images: z
        .array(z.object({ image_url: picture }))
        .min(1)
        .max(3),
    })
    .optional(),
  element_video_list: z.object({ refer_videos: z.array(z.object({ video_url: mediaUrl })).length(1) }).optional(),
  element_voice_id: vendorId.optional(),
  tag_list: z.array(z.object({ tag_id: z.string().max(32) })).optional(),
});

export const voice = z.object({
  voice_name: z.string().trim().min(1).max(20),
  voice_url: mediaUrl.optional().describe('mp3, wav, mp4 or mov, 5 to 30 s, one voice'),
  video_id: vendorId.optional(),
});
