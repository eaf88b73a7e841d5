import { randomUUID } from 'node:crypto';
import type { OperationName } from '@klingapi/kling';

const HOUR_MS = 3_600_000;

/**
 * What calls answer that make no task: the shape of the vendor's replies, with
 * contents that are made up.
 */
export const ANSWERS: Readonly<Record<OperationName, (now: number, base: string) => unknown>> = {
  'text-to-speech': (_now, base) => ({
    task_id: randomUUID(),
    task_status: 'succeed',
    task_result: { audios: [{ id: randomUUID(), url: `${base}/results/tone.wav`, duration: '1.0' }] },
  }),
  'identify-face': (_now, base) => ({
    session_id: randomUUID(),
    face_data: [{ face_id: '0', face_image: `${base}/results/face.png`, start_time: 0, end_time: 5000 }],
  }),
  'image-recognize': (_now, base) => ({
    task_result: {
      images: ['object_seg', 'head_seg', 'face_seg', 'cloth_seg'].map((type) => ({
        type,
        is_contain: type !== 'cloth_seg',
        url: `${base}/results/face.png`,
      })),
    },
  }),
  'selection-start': (_now, base) => ({
    ...{ status: 0, session_id: randomUUID(), fps: 30, original_duration: 5000, width: 1280, height: 720 },
    ...{ total_frame: 150, normalized_video: `${base}/results/clip.mp4` },
  }),
  'selection-add': () => ({ status: 0, res: { frame_index: 0, rle_mask_list: [] } }),
  'selection-delete': () => ({ status: 0, res: { frame_index: 0, rle_mask_list: [] } }),
  'selection-clear': () => ({ status: 0 }),
  'selection-preview': (_now, base) => ({ status: 0, res: { video: `${base}/results/clip.mp4` } }),
  'preset-elements': () => [],
  'delete-element': () => ({ task_status: 'succeed' }),
  'preset-voices': () => [],
  'delete-voice': () => ({ task_status: 'succeed' }),
  'account-costs': (now) => ({
    code: 0,
    msg: 'SUCCEED',
    resource_pack_subscribe_infos: [
      {
        ...{ resource_pack_name: 'Sandbox', resource_pack_id: 'sandbox', resource_pack_type: 'decreasing_total' },
        ...{ total_quantity: 1000, remaining_quantity: 1000, purchase_time: now - HOUR_MS },
        ...{ effective_time: now - HOUR_MS, invalid_time: now + 720 * HOUR_MS, status: 'online' },
      },
    ],
  }),
  'account-packages': () => ({ result: { detail: [] }, has_more: false }),
  'account-balance': () => ({ result: { detail: [] }, has_more: false }),
};
