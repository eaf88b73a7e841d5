import { z } from 'zod';
import { mediaUrl, milliseconds, picture, vendorId } from './requests/fields.ts';
import { textToSpeech } from './requests/speech.ts';

export interface Operation {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Where other pages of the vendor have it. */
  readonly alsoAt?: string;
  readonly summary: string;
  /** Of the body, or of the query of a GET. */
  readonly schema: z.ZodType<Readonly<Record<string, unknown>>>;
  /** `create` may cost money or change something, and is never sent twice. */
  readonly scope: 'read' | 'create';
  /** Whether it concerns everything of the Kling account, not one caller. */
  readonly wholeAccount?: boolean;
  /** The field that names a thing of the account, which only those may delete whose it is. */
  readonly deletes?: 'element_id' | 'voice_id';
}

const video = { video_id: vendorId.optional(), video_url: mediaUrl.optional() };
const session = z.object({ session_id: vendorId });
const points = z
  .array(z.object({ x: z.number().min(0).max(1), y: z.number().min(0).max(1) }))
  .min(1)
  .max(10);
const onFrame = z.object({ session_id: vendorId, frame_index: z.int().min(0), points });
const page = z.object({
  pageNum: z.coerce.number().int().min(1).max(1000).optional(),
  pageSize: z.coerce.number().int().min(1).max(500).optional(),
});
const billing = z.looseObject({
  start_time: milliseconds.optional(),
  end_time: milliseconds.optional(),
  limit: z.int().min(1).max(500).optional(),
  cursor: z.string().max(1024).optional(),
});

const selection = (step: string, summary: string, schema: Operation['schema']): Operation => ({
  method: 'POST',
  path: `/v1/videos/multi-elements/${step}`,
  summary,
  schema,
  scope: 'create',
});

/** What answers at once and makes no task. Source: the vendor's pages, 2026-09-20. */
export const OPERATIONS = {
  'text-to-speech': {
    method: 'POST',
    path: '/v1/audio/tts',
    summary: 'Speak a text; paid, and answered at once',
    schema: textToSpeech,
    scope: 'create',
  },
  'identify-face': {
    method: 'POST',
    path: '/v1/videos/identify-face',
    summary: 'Find the faces of a video, for a lip-sync',
    schema: z.object(video),
    scope: 'create',
  },
  'image-recognize': {
    method: 'POST',
    path: '/v1/videos/image-recognize',
    summary: 'Find heads, faces, clothes and things in a picture',
    schema: z.object({ image: picture }),
    scope: 'create',
  },
  'selection-start': selection('init-selection', 'Begin to choose things in a video', z.object(video)),
  'selection-add': selection('add-selection', 'Choose a thing by points on a frame', onFrame),
  'selection-delete': selection('delete-selection', 'Take points back', onFrame),
  'selection-clear': selection('clear-selection', 'Take all points back', session),
  'selection-preview': selection('preview-selection', 'See what is chosen', session),
  'preset-elements': {
    method: 'GET',
    path: '/v1/general/advanced-presets-elements',
    summary: 'Elements that Kling offers',
    schema: page,
    scope: 'read',
  },
  'delete-element': {
    method: 'POST',
    path: '/v1/general/delete-advanced-elements',
    alsoAt: '/v1/general/delete-elements',
    summary: 'Delete an element that the caller made',
    schema: z.object({ element_id: vendorId }),
    scope: 'create',
    deletes: 'element_id',
  },
  'preset-voices': {
    method: 'GET',
    path: '/v1/general/presets-voices',
    summary: 'Voices that Kling offers',
    schema: page,
    scope: 'read',
  },
  'delete-voice': {
    method: 'POST',
    path: '/v1/general/delete-voices',
    summary: 'Delete a voice that the caller made',
    schema: z.object({ voice_id: vendorId }),
    scope: 'create',
    deletes: 'voice_id',
  },
  'account-costs': {
    method: 'GET',
    path: '/account/costs',
    summary: 'Resource packs of the Kling account; at most one request a second',
    schema: z.object({
      start_time: milliseconds,
      end_time: milliseconds,
      resource_pack_name: z.string().max(200).optional(),
    }),
    scope: 'read',
    wholeAccount: true,
  },
  'account-packages': {
    method: 'POST',
    path: '/account/billing/package',
    summary: 'What was taken from resource packs',
    schema: billing,
    scope: 'read',
    wholeAccount: true,
  },
  'account-balance': {
    method: 'POST',
    path: '/account/billing/balance',
    summary: 'What was taken from the balance',
    schema: billing,
    scope: 'read',
    wholeAccount: true,
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;
