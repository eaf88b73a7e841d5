import type { Kind } from './endpoints.ts';

/** What a model can do for one kind of task. A field that is absent is not known, and then nothing is refused for it. */
export interface Abilities {
  /** Whole seconds that a video may have. */
  readonly lengths?: readonly number[];
  readonly modes?: readonly string[];
  /** `choice`: on or off; `always`: cannot be turned off. */
  readonly audio?: 'never' | 'choice' | 'always';
  /** The only resolutions that have sound. */
  readonly audioOnlyIn?: readonly string[];
  readonly lastFrame?: boolean;
  /** The only resolutions that take a last frame. */
  readonly lastFrameOnlyIn?: readonly string[];
  readonly cfgScale?: boolean;
  readonly multiShot?: boolean;
  readonly elements?: number;
  readonly voices?: number;
  readonly camera?: boolean;
  readonly imageReference?: boolean;
  readonly referenceVideo?: boolean;
}

export interface Model extends Abilities {
  /** `model_name` of the request. */
  readonly id: string;
  /** Lengths of a video in seconds, in words; none for pictures. */
  readonly seconds?: string;
  readonly resolutions: readonly string[];
  readonly note?: string;
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
const HD = ['720p', '1080p'] as const;
const UHD = ['720p', '1080p', '4k'] as const;
const SHORT = { seconds: '5 or 10', lengths: [5, 10], resolutions: HD } as const;
const LONG = { seconds: '3 to 15', lengths: range(3, 15) } as const;
const SILENT = { audio: 'never', multiShot: false, voices: 0 } as const;

/** Still taken, as far as is known, though the vendor's pages no longer name them. */
const older = (...ids: string[]): Model[] =>
  ids.map((id) => ({ id, ...SHORT, ...SILENT, resolutions: [], note: 'older, silent' }));

const TEXT_TO_VIDEO: readonly Model[] = [
  { id: 'kling-v2-5-turbo', ...SHORT, ...SILENT, cfgScale: false, note: 'silent' },
  {
    ...{ id: 'kling-v2-6', ...SHORT, audio: 'choice', audioOnlyIn: ['1080p'], cfgScale: false, multiShot: false },
    note: 'sound in 1080p alone',
  },
  {
    ...{ id: 'kling-v3', ...LONG, resolutions: UHD, audio: 'choice', multiShot: true },
    note: 'sound, several shots',
  },
  ...older('kling-v2-1-master', 'kling-v2-master', 'kling-v1-6', 'kling-v1'),
];
const IMAGE_TO_VIDEO: readonly Model[] = [
  {
    ...{ id: 'kling-v2-5-turbo', ...SHORT, ...SILENT, cfgScale: false },
    ...{ lastFrame: true, lastFrameOnlyIn: ['1080p'], elements: 0, note: 'silent' },
  },
  {
    ...{ id: 'kling-v2-6', ...SHORT, audio: 'choice', audioOnlyIn: ['1080p'], cfgScale: false, multiShot: false },
    ...{ lastFrame: true, lastFrameOnlyIn: ['1080p'], elements: 0, voices: 2, note: 'sound in 1080p alone' },
  },
  {
    ...{ id: 'kling-v3', ...LONG, resolutions: UHD, audio: 'choice', multiShot: true, lastFrame: true },
    ...{ elements: 3, note: 'sound, several shots' },
  },
  ...older('kling-v2-1-master', 'kling-v2-1', 'kling-v2-master', 'kling-v1-6', 'kling-v1-5', 'kling-v1'),
];
const TURBO: Model = {
  ...{ id: 'kling-3.0-turbo', ...LONG, resolutions: HD, audio: 'always' },
  ...{ lastFrame: false, elements: 0, multiShot: true, note: 'always with sound' },
};
const THREE: Model = { id: 'kling-3.0', ...LONG, resolutions: UHD, audio: 'choice', multiShot: true, lastFrame: true };
const named = (id: string, resolutions: readonly string[] = [], note?: string): Model => ({
  id,
  resolutions,
  ...(note === undefined ? {} : { note }),
});

/**
 * Models of each kind of task, the one that is taken without a choice first; none
 * where a request names no model. Not a limit: the vendor adds models faster than
 * this is released, and an id that is not here is sent on unjudged.
 * Source: the vendor's model pages and billing page, 2026-09-20.
 */
export const MODELS: Readonly<Record<Kind, readonly Model[]>> = {
  'text-to-image': [
    { id: 'kling-v3', resolutions: ['1k', '2k'], imageReference: false },
    {
      ...{ id: 'kling-v2-1', resolutions: ['1k', '2k'], imageReference: true },
      note: 'takes a reference picture of a subject or a face',
    },
  ],
  'omni-image': [named('kling-image-o1', ['1k', '2k']), named('kling-v3-omni', ['1k', '2k', '4k'])],
  'multi-image-to-image': [named('kling-v2-1')],
  'image-expand': [],
  'multi-shot-image': [],
  'virtual-try-on': [
    named('kolors-virtual-try-on-v1-5', [], 'takes an upper and a lower garment in one picture'),
    named('kolors-virtual-try-on-v1'),
  ],
  'text-to-video': TEXT_TO_VIDEO,
  'image-to-video': IMAGE_TO_VIDEO,
  'omni-video': [
    {
      ...{ id: 'kling-video-o1', seconds: '3 to 10', lengths: range(3, 10), resolutions: HD, audio: 'never' },
      ...{ multiShot: false, referenceVideo: true, lastFrame: true },
    },
    {
      ...{ id: 'kling-v3-omni', ...LONG, resolutions: UHD, audio: 'choice', multiShot: true },
      ...{ referenceVideo: true, lastFrame: true },
    },
  ],
  'multi-image-to-video': [{ id: 'kling-v1-6', ...SHORT, ...SILENT }],
  'motion-control': [
    { id: 'kling-v2-6', resolutions: HD, elements: 0 },
    { id: 'kling-v3', resolutions: HD, elements: 1 },
  ],
  'multi-elements': [],
  'video-extend': [],
  'lip-sync': [],
  'face-lip-sync': [],
  avatar: [],
  effects: [],
  'text-to-audio': [],
  'video-to-audio': [],
  element: [],
  voice: [],
  'new-text-to-video': [
    TURBO,
    THREE,
    { id: 'kling-2.6', ...SHORT, audio: 'choice', audioOnlyIn: ['1080p'], multiShot: false },
    { id: 'kling-2.5-turbo', ...SHORT, ...SILENT },
  ],
  'new-image-to-video': [
    TURBO,
    { ...THREE, elements: 3 },
    {
      ...{ id: 'kling-2.6', ...SHORT, audio: 'choice', audioOnlyIn: ['1080p'], multiShot: false },
      ...{ lastFrame: true, lastFrameOnlyIn: ['1080p'], elements: 0, voices: 2 },
    },
    { id: 'kling-2.5-turbo', ...SHORT, ...SILENT, lastFrame: true, lastFrameOnlyIn: ['1080p'], elements: 0 },
  ],
  'new-omni-video': [
    { id: 'kling-3.0-omni', ...LONG, resolutions: UHD, audio: 'choice', multiShot: true, referenceVideo: true },
    {
      ...{ id: 'kling-o1', seconds: '3 to 10', lengths: range(3, 10), resolutions: HD, audio: 'never' },
      ...{ multiShot: false, referenceVideo: true },
    },
  ],
  'new-motion-control': [
    { id: 'kling-3.0', resolutions: HD, elements: 1 },
    { id: 'kling-2.6', resolutions: HD, elements: 0 },
  ],
  'solution-try-on': [],
  'solution-clothing': [],
  'solution-goods': [],
  'solution-talking-agent': [],
  'solution-subtitle': [],
};

/** Undefined for an id that is not known, which is no reason to refuse it. */
export function modelOf(kind: Kind, id: string): Model | undefined {
  return MODELS[kind].find((model) => model.id === id);
}
