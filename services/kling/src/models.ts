import type { Kind } from './endpoints.ts';

export interface Model {
  /** `model_name` of the request. */
  readonly id: string;
  /** Lengths of a video in seconds; none for pictures. */
  readonly seconds?: string;
  readonly resolutions: readonly string[];
  readonly note?: string;
}

const OLDER_VIDEO = { seconds: '5 or 10', resolutions: ['720p', '1080p'] } as const;
const VIDEO: readonly Model[] = [
  { id: 'kling-v2-5-turbo', ...OLDER_VIDEO, note: 'silent' },
  { id: 'kling-v2-6', ...OLDER_VIDEO, note: 'sound in 1080p alone' },
  { id: 'kling-v3', seconds: '3 to 15', resolutions: ['720p', '1080p', '4k'], note: 'sound, several shots' },
];

/**
 * Models of each kind of task, the one that is taken without a choice first. Not a
 * limit: the vendor adds models faster than this is released, and any id is sent on.
 * Source: the vendor's model pages, 2026-09-20.
 */
export const MODELS: Readonly<Record<Kind, readonly Model[]>> = {
  'text-to-image': [
    { id: 'kling-v3', resolutions: ['1k', '2k'] },
    { id: 'kling-v2-1', resolutions: ['1k', '2k'], note: 'takes a reference picture of a subject or a face' },
  ],
  'text-to-video': VIDEO,
  'image-to-video': VIDEO,
  'virtual-try-on': [
    { id: 'kolors-virtual-try-on-v1-5', resolutions: [], note: 'takes an upper and a lower garment in one picture' },
    { id: 'kolors-virtual-try-on-v1', resolutions: [] },
  ],
};
