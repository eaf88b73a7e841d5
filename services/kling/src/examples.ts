import type { Kind } from './endpoints.ts';
import type { OperationName } from './operations.ts';

const image = 'https://example.com/person.png';
const video = 'https://example.com/clip.mp4';
const audio = 'https://example.com/voice.mp3';

/** The least that a request of each kind needs: for documentation, forms and tests. */
export const EXAMPLES: Readonly<Record<Kind, Readonly<Record<string, unknown>>>> = {
  'text-to-image': { prompt: 'a fox in the snow' },
  'omni-image': { prompt: 'the person of <<<image_1>>> on a boat', image_list: [{ image }] },
  'multi-image-to-image': { subject_image_list: [{ subject_image: image }], prompt: 'at the sea' },
  'image-expand': {
    ...{ image, up_expansion_ratio: 0.2, down_expansion_ratio: 0.2 },
    ...{ left_expansion_ratio: 0.2, right_expansion_ratio: 0.2 },
  },
  'multi-shot-image': { element_frontal_image: image },
  'virtual-try-on': { human_image: image, cloth_image: 'https://example.com/coat.png' },
  'text-to-video': { prompt: 'a fox runs through the snow' },
  'image-to-video': { image, prompt: 'she turns around' },
  'omni-video': { prompt: 'a fox runs', aspect_ratio: '16:9', duration: '5' },
  'multi-image-to-video': { image_list: [{ image }], prompt: 'she walks along the sea' },
  'motion-control': { image_url: image, video_url: video, character_orientation: 'image' },
  'multi-elements': { session_id: '1', edit_mode: 'removal', prompt: 'remove the car' },
  'video-extend': { video_id: '1' },
  'lip-sync': { input: { video_url: video, mode: 'audio2video', audio_type: 'url', audio_url: audio } },
  'face-lip-sync': {
    session_id: '1',
    face_choose: [{ face_id: '0', sound_file: audio, sound_start_time: 0, sound_end_time: 3000, sound_insert_time: 0 }],
  },
  avatar: { image, sound_file: audio },
  effects: { effect_scene: 'bloombloom', input: { image } },
  'text-to-audio': { prompt: 'rain on a roof', duration: 5 },
  'video-to-audio': { video_url: video },
  element: {
    ...{ element_name: 'Ada', element_description: 'a woman with red hair', reference_type: 'image_refer' },
    element_image_list: { frontal_image: image, refer_images: [{ image_url: image }] },
  },
  voice: { voice_name: 'Ada', voice_url: audio },
  'new-text-to-video': { prompt: 'a fox runs through the snow' },
  'new-image-to-video': { contents: [{ type: 'first_frame', url: image }] },
  'new-omni-video': { contents: [{ type: 'prompt', text: 'a fox runs' }], settings: { aspect_ratio: '16:9' } },
  'new-motion-control': {
    contents: [
      { type: 'image', url: image },
      { type: 'video', url: video },
    ],
    settings: { character_orientation: 'image' },
  },
  'solution-try-on': {
    contents: [
      { type: 'product_image', url: image },
      { type: 'person_image', url: image },
    ],
  },
  'solution-clothing': {
    contents: [
      { type: 'product_info', text: 'a coat' },
      { type: 'source_video', url: video },
      { type: 'product_image', url: image },
    ],
  },
  'solution-goods': {
    contents: [{ type: 'ref_image', url: image }],
    settings: { resolution: '720p', aspect_ratio: '16:9', duration: 15 },
  },
  'solution-talking-agent': {
    contents: [
      { type: 'avatar_image', url: image },
      { type: 'speech_script', text: 'Good morning' },
    ],
    settings: { voice_id: '1' },
  },
  'solution-subtitle': { contents: [{ type: 'source_video', url: video }] },
};

/** The same of what answers without a task. */
export const OPERATION_EXAMPLES: Readonly<Record<OperationName, Readonly<Record<string, unknown>>>> = {
  'text-to-speech': { text: 'Good morning', voice_id: 'oversea_male1', voice_language: 'en' },
  'identify-face': { video_url: video },
  'image-recognize': { image },
  'selection-start': { video_url: video },
  'selection-add': { session_id: '1', frame_index: 0, points: [{ x: 0.5, y: 0.5 }] },
  'selection-delete': { session_id: '1', frame_index: 0, points: [{ x: 0.5, y: 0.5 }] },
  'selection-clear': { session_id: '1' },
  'selection-preview': { session_id: '1' },
  'preset-elements': {},
  'delete-element': { element_id: '1' },
  'preset-voices': {},
  'delete-voice': { voice_id: '1' },
  'account-costs': { start_time: 0, end_time: 1 },
  'account-packages': { start_time: 0, end_time: 1 },
  'account-balance': { start_time: 0, end_time: 1 },
};
