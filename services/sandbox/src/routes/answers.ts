import { randomUUID } from 'node:crypto';
import type { OperationName } from '@klingapi/kling';
import { z } from 'zod';
import { type Answer, fail, succeed } from '../answer.ts';
import type { Call } from '../door.ts';
import { PRESET_ELEMENTS, PRESET_VOICES } from '../library.ts';
import type { SandboxTask } from '../tasks/task.ts';
import type { World } from '../world.ts';

const DAY_MS = 86_400_000;
const deleting = z.object({ element_id: z.string().default(''), voice_id: z.string().default('') });
const paging = z.object({ pageNum: z.number().default(1), pageSize: z.number().default(30) });
const billing = z.looseObject({
  start_time: z.number().default(0),
  end_time: z.number().default(Infinity),
  limit: z.number().default(100),
  cursor: z.string().default('0'),
});

/** Units of calls that make no task. Source: the vendor's pricing page, 2026-09-20. */
export const CALL_UNITS: Readonly<Partial<Record<OperationName, number>>> = {
  'text-to-speech': 0.05,
  'identify-face': 0.05,
  'image-recognize': 0.1,
};

type Answering = (world: World, call: Call, request: Readonly<Record<string, unknown>>) => Answer;

/** What calls answer that make no task: the shape of the vendor's replies, with contents that are made up. */
export const ANSWERS: Readonly<Record<OperationName, Answering>> = {
  'text-to-speech': (world, { account, base }, { voice_id }) => {
    if (PRESET_VOICES.some((voice) => voice.voice_id === voice_id)) {
      return fail(1201, `voice_id ${String(voice_id)} is a preset voice of videos: speech has a catalogue of its own`);
    }
    const audio = { id: world.library.addSpeech(account), url: `${base}/results/tone.mp3`, duration: '2.0' };
    return succeed({ task_id: randomUUID(), task_status: 'succeed', task_result: { audios: [audio] } });
  },
  'identify-face': (world, { account, base }) =>
    succeed({
      session_id: world.library.openSession(account),
      face_data: [{ face_id: '0', face_image: `${base}/results/face.png`, start_time: 0, end_time: 5000 }],
    }),
  'image-recognize': (_world, { base }) =>
    succeed({
      task_result: {
        images: ['object_seg', 'head_seg', 'face_seg', 'cloth_seg'].map((type) => ({
          type,
          is_contain: type !== 'cloth_seg',
          url: `${base}/results/face.png`,
        })),
      },
    }),
  'selection-start': (world, { account, base }) =>
    succeed({
      ...{ status: 0, session_id: world.library.openSession(account), fps: 30, original_duration: 5000 },
      ...{ width: 1280, height: 720, total_frame: 150, normalized_video: `${base}/results/clip.mp4` },
    }),
  'selection-add': () => succeed({ status: 0, res: { frame_index: 0, rle_mask_list: [] } }),
  'selection-delete': () => succeed({ status: 0, res: { frame_index: 0, rle_mask_list: [] } }),
  'selection-clear': () => succeed({ status: 0 }),
  'selection-preview': (_world, { base }) => succeed({ status: 0, res: { video: `${base}/results/clip.mp4` } }),
  'preset-elements': (_world, _call, request) =>
    succeed(pageOf(request, PRESET_ELEMENTS).map((each) => ready(each.element_id, { elements: [each] }))),
  'preset-voices': (_world, { base }, request) =>
    succeed(
      pageOf(request, PRESET_VOICES).map((each) =>
        ready(each.voice_id, { voices: [{ ...each, trial_url: `${base}/results/tone.wav` }] }),
      ),
    ),
  'delete-element': (world, { account }, request) => {
    const { element_id: id } = deleting.parse(request);
    if (!world.library.delete(account, 'elements', id)) return fail(1201, `element_id ${id} does not exist`);
    return succeed({ task_status: 'succeed' });
  },
  'delete-voice': (world, { account }, request) => {
    const { voice_id: id } = deleting.parse(request);
    if (!world.library.delete(account, 'voices', id)) return fail(1201, `voice_id ${id} does not exist`);
    return succeed({ task_status: 'succeed' });
  },
  'account-costs': (world, { account }, request) => {
    if (!world.costsRate.take(account)) return fail(1302, 'Request too fast: this is answered once a second');
    const { resource_pack_name: name } = request;
    const infos = packsTold(world, account).filter((pack) => name === undefined || pack.resource_pack_name === name);
    return succeed({ code: 0, msg: 'SUCCEED', resource_pack_subscribe_infos: infos });
  },
  'account-packages': (world, { account }, request) => {
    const { start_time: from, end_time: to, limit, cursor } = billing.parse(request);
    const paid = world.book
      .all(account)
      .filter((task) => task.units > 0 && task.createdAt >= from && task.createdAt <= to);
    const start = Number(cursor) || 0;
    const page = paid.slice(start, start + limit);
    const more = paid.length > start + page.length;
    return succeed({
      result: { detail: page.map(detailOf) },
      has_more: more,
      ...(more ? { next_cursor: String(start + page.length) } : {}),
    });
  },
  // Everything is paid in units here, never in money.
  'account-balance': () => succeed({ result: { detail: [] }, has_more: false }),
};

/** Presets are told as tasks that have ended. */
const ready = (id: string, result: object) => ({ task_id: id, task_status: 'succeed', task_result: result });

function pageOf<T>(request: object, all: readonly T[]): readonly T[] {
  const { pageNum, pageSize } = paging.parse(request);
  return all.slice((pageNum - 1) * pageSize, pageNum * pageSize);
}

function detailOf(task: SandboxTask) {
  return {
    ...{ task_id: task.id, product_type: task.pack, product_function: task.kind, model_name: task.model },
    ...{ deduction_time: task.createdAt, deduction_amount: String(task.units), duration: String(task.seconds) },
    video_sound: task.hasSound ? 'on' : 'off',
  };
}

function packsTold(world: World, account: string) {
  const now = world.clock.now();
  const told = (packName: string, id: string, total: number, left: number, since: number, until: number) => ({
    ...{ resource_pack_name: packName, resource_pack_id: id, resource_pack_type: 'decreasing_total' },
    ...{ total_quantity: total, remaining_quantity: left, purchase_time: since, effective_time: since },
    ...{ invalid_time: until, status: until <= now ? 'expired' : left <= 0 ? 'runOut' : 'online' },
  });
  const packs = world.packs.of(account);
  if (packs === undefined) return [told('Sandbox', 'sandbox', 1000, 1000, now - DAY_MS, now + 30 * DAY_MS)];
  return packs.map(({ id, type, total, left, since, until }) => told(`Sandbox ${type}`, id, total, left, since, until));
}
