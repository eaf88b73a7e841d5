import {
  elementArguments,
  expandImageArguments,
  extendVideoArguments,
  imageFromImagesArguments,
  imageToVideoArguments,
  imageViewsArguments,
  motionTransferArguments,
  soundArguments,
  talkingVideoArguments,
  textToImageArguments,
  textToVideoArguments,
  videoEffectArguments,
  videoFromReferencesArguments,
  virtualTryOnArguments,
  voiceArguments,
} from './arguments.ts';
import { type CreateTool, createTool } from './create-tool.ts';

const MODES = { '720p': 'std', '1080p': 'pro', '4k': '4k' } as const;
const onOrOff = (choice: boolean | undefined) => (choice === undefined ? undefined : choice ? 'on' : 'off');
const yesOrNo = (choice: boolean | undefined) => (choice === undefined ? undefined : choice ? 'yes' : 'no');
const elements = (ids: readonly string[] | undefined) => ids?.map((element_id) => ({ element_id }));
const isAddress = (text: string) => /^https?:\/\//.test(text);

/** The original's, in its order. */
export const ORIGINAL_CREATE_TOOLS: readonly CreateTool[] = [
  createTool({
    name: 'create_text_to_image_tool',
    toolset: 'images',
    title: 'Make a picture from text',
    description:
      'Starts a task that draws a picture from a description. With pictures to start from take create_image_from_images_tool.',
    arguments: textToImageArguments,
    request: ({ prompt, aspect_ratio, negative_prompt, model_name, resolution, count }) => ({
      kind: 'text-to-image',
      request: { prompt, aspect_ratio, negative_prompt, model_name, resolution, n: count },
    }),
  }),
  createTool({
    name: 'create_text_to_video_tool',
    toolset: 'videos',
    title: 'Make a video from text',
    description:
      'Starts a task that makes a video from a description. With a picture to begin with take create_image_to_video_tool. Takes minutes.',
    arguments: textToVideoArguments,
    request: ({ prompt, aspect_ratio, duration, cfg_scale, model_name, quality, sound, negative_prompt }) => ({
      kind: 'text-to-video',
      request: {
        ...{ prompt, negative_prompt, aspect_ratio, duration: String(duration), cfg_scale },
        ...{ model_name, mode: quality && MODES[quality], sound: onOrOff(sound) },
      },
    }),
  }),
  createTool({
    name: 'create_image_to_video_tool',
    toolset: 'videos',
    title: 'Make a video from a picture',
    description:
      'Starts a task that makes a video whose first frame is a picture. With several pictures or a video take create_video_from_references_tool. Takes minutes.',
    arguments: imageToVideoArguments,
    request: ({ image_url, last_frame, prompt, duration, cfg_scale, model_name, quality, sound, negative_prompt }) => ({
      kind: 'image-to-video',
      request: {
        ...{ image: image_url, image_tail: last_frame, prompt, negative_prompt, duration: String(duration), cfg_scale },
        ...{ model_name, mode: quality && MODES[quality], sound: onOrOff(sound) },
      },
    }),
  }),
  createTool({
    name: 'create_virtual_try_on_tool',
    toolset: 'try-on',
    title: 'Dress a person in a garment',
    description: 'Starts a task that shows the person of one picture in the garment of another.',
    arguments: virtualTryOnArguments,
    request: ({ person_image, garment_image }) => ({
      kind: 'virtual-try-on',
      request: { human_image: person_image, cloth_image: garment_image },
    }),
  }),
];

/** The rest of what Kling makes; related kinds are one tool. */
export const MORE_CREATE_TOOLS: readonly CreateTool[] = [
  createTool({
    name: 'create_image_from_images_tool',
    toolset: 'images',
    title: 'Make a picture from pictures',
    description:
      'Starts a task that edits a picture, or puts several together, as a prompt says. For a picture from words alone take create_text_to_image_tool.',
    arguments: imageFromImagesArguments,
    request: ({ prompt, images, element_ids, aspect_ratio, resolution, count }) => ({
      kind: 'omni-image',
      request: {
        ...{ prompt, aspect_ratio, resolution, n: count },
        image_list: images.map((image) => ({ image })),
        element_list: elements(element_ids),
      },
    }),
  }),
  createTool({
    name: 'create_expanded_image_tool',
    toolset: 'images',
    title: 'Make a picture larger on its sides',
    description: 'Starts a task that draws on beyond the sides of a picture, to at most three times its area.',
    arguments: expandImageArguments,
    request: ({ image, up, down, left, right, prompt, count }) => ({
      kind: 'image-expand',
      request: {
        ...{ image, prompt, n: count, up_expansion_ratio: up, down_expansion_ratio: down },
        ...{ left_expansion_ratio: left, right_expansion_ratio: right },
      },
    }),
  }),
  createTool({
    name: 'create_image_views_tool',
    toolset: 'images',
    title: 'Show a thing from other sides',
    description: 'Starts a task that shows the person or thing of one picture from nine sides.',
    arguments: imageViewsArguments,
    request: ({ image }) => ({ kind: 'multi-shot-image', request: { element_frontal_image: image } }),
  }),
  createTool({
    name: 'create_video_from_references_tool',
    toolset: 'videos',
    title: 'Make or edit a video with references',
    description:
      'Starts a task that makes a video with given pictures, frames or elements, or edits a given video, as a prompt says. Takes minutes. For one first frame take create_image_to_video_tool.',
    arguments: videoFromReferencesArguments,
    request: ({ prompt, first_frame, last_frame, images = [], video_url, ...more }) => {
      const frames = [
        ...(first_frame === undefined ? [] : [{ image_url: first_frame, type: 'first_frame' }]),
        ...(last_frame === undefined ? [] : [{ image_url: last_frame, type: 'end_frame' }]),
      ];
      const pictures = [...frames, ...images.map((image_url) => ({ image_url }))];
      const edits = video_url !== undefined && more.video_use === 'edit';
      const refer_type = edits ? 'base' : 'feature';
      return {
        kind: 'omni-video',
        request: {
          prompt,
          image_list: pictures.length === 0 ? undefined : pictures,
          element_list: elements(more.element_ids),
          video_list:
            video_url === undefined
              ? undefined
              : [{ video_url, refer_type, keep_original_sound: yesOrNo(more.keep_original_sound) }],
          mode: MODES[more.quality],
          aspect_ratio: more.aspect_ratio ?? (first_frame === undefined && !edits ? '16:9' : undefined),
          duration: edits ? undefined : String(more.duration),
        },
      };
    },
  }),
  createTool({
    name: 'create_extended_video_tool',
    toolset: 'videos',
    title: 'Make a video longer',
    description: 'Starts a task that adds 4 to 5 seconds to a video that an older model of Kling made. Takes minutes.',
    arguments: extendVideoArguments,
    request: ({ video_id, prompt }) => ({ kind: 'video-extend', request: { video_id, prompt } }),
  }),
  createTool({
    name: 'create_motion_transfer_tool',
    toolset: 'videos',
    title: 'Move a person as in a video',
    description: 'Starts a task that lets the person of a picture move as in a video. Takes minutes.',
    arguments: motionTransferArguments,
    request: ({ image, video_url, orientation, prompt, quality, keep_original_sound }) => ({
      kind: 'motion-control',
      request: {
        ...{ image_url: image, video_url, prompt, character_orientation: orientation, mode: MODES[quality] },
        keep_original_sound: yesOrNo(keep_original_sound),
      },
    }),
  }),
  createTool({
    name: 'create_video_effect_tool',
    toolset: 'videos',
    title: 'Put an effect on pictures',
    description: 'Starts a task that makes a short video of one or two pictures by a named effect. Takes minutes.',
    arguments: videoEffectArguments,
    request: ({ effect, images }) => ({
      kind: 'effects',
      request: { effect_scene: effect, input: images.length === 1 ? { image: images[0] } : { images } },
    }),
  }),
  createTool({
    name: 'create_talking_video_tool',
    toolset: 'sounds',
    title: 'Let a picture or a video speak',
    description:
      'Starts a task in which a person of a picture or a video says what a sound or a text says. Takes minutes.',
    arguments: talkingVideoArguments,
    request: ({ image, video_url, audio, text, voice_id, language, prompt }) => {
      if (image !== undefined) return { kind: 'avatar', request: { image, sound_file: audio, prompt } };
      const spoken = { mode: 'text2video', text, voice_id, voice_language: language };
      const heard =
        audio === undefined || isAddress(audio)
          ? { mode: 'audio2video', audio_type: 'url', audio_url: audio }
          : { mode: 'audio2video', audio_type: 'file', audio_file: audio };
      return { kind: 'lip-sync', request: { input: { video_url, ...(audio === undefined ? spoken : heard) } } };
    },
  }),
  createTool({
    name: 'create_sound_tool',
    toolset: 'sounds',
    title: 'Make a sound',
    description: 'Starts a task that makes a sound from a description, or the sound of a video.',
    arguments: soundArguments,
    request: ({ prompt, video_url, music_prompt, duration }) =>
      video_url === undefined
        ? { kind: 'text-to-audio', request: { prompt, duration } }
        : { kind: 'video-to-audio', request: { video_url, sound_effect_prompt: prompt, bgm_prompt: music_prompt } },
  }),
  createTool({
    name: 'create_element_tool',
    toolset: 'library',
    title: 'Keep a person or thing',
    description:
      'Starts a task that keeps a person or thing under an id (element_id in the result), to use again in prompts of other tools.',
    free: true,
    arguments: elementArguments,
    request: ({ name, description, image, other_images }) => ({
      kind: 'element',
      request: {
        ...{ element_name: name, element_description: description, reference_type: 'image_refer' },
        element_image_list: {
          frontal_image: image,
          refer_images: other_images.map((image_url) => ({ image_url })),
        },
      },
    }),
  }),
  createTool({
    name: 'create_voice_tool',
    toolset: 'library',
    title: 'Keep a voice',
    description: 'Starts a task that keeps a voice under an id (voice_id in the result).',
    arguments: voiceArguments,
    request: ({ name, audio_url }) => ({ kind: 'voice', request: { voice_name: name, voice_url: audio_url } }),
  }),
];

export const CREATE_TOOLS: readonly CreateTool[] = [...ORIGINAL_CREATE_TOOLS, ...MORE_CREATE_TOOLS];
