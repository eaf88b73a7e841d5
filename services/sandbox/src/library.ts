import { randomUUID } from 'node:crypto';
import { ENDPOINTS, type Kind, type KlingRequest } from '@klingapi/kling';
import { z } from 'zod';
import { type Answer, fail } from './answer.ts';
import type { TaskBook } from './tasks/book.ts';
import { libraryId } from './tasks/outputs.ts';
import { isDeleted, statusAt } from './tasks/task.ts';

/**
 * What later calls name by its id: elements, voices, videos, sounds and sessions. The
 * id 1 stands for a sample of each, which everybody has and nobody can delete.
 */
export interface Library {
  /** Why a request cannot be: it names what this account does not have; undefined when all is there. */
  missing(account: string, kind: Kind | undefined, request: KlingRequest): Answer | undefined;
  /** Whether there was one to delete. */
  delete(account: string, what: 'elements' | 'voices', id: string): boolean;
  /** A session of choosing things or faces in a video, good for a day. */
  openSession(account: string): string;
  /** A text was spoken; avatars and lip-syncs can use it. */
  addSpeech(account: string): string;
  clear(): void;
}

export const PRESET_ELEMENTS = ['Lighthouse keeper', 'Red fox', 'Robot', 'Old sailor'].map((name, at) => ({
  ...{ element_id: String(100_000_001 + at), element_name: name, element_description: `${name}, ready to use` },
  ...{ owned_by: 'kling', status: 'succeed' },
}));
export const PRESET_VOICES = ['Calm', 'Bright', 'Deep', 'Warm'].map((name, at) => ({
  ...{ voice_id: String(200_000_001 + at), voice_name: name, owned_by: 'kling' },
}));

const SAMPLE = '1';
const DAY_MS = 86_400_000;
const SPEECH_MS = 30 * DAY_MS;
const MOST = 10_000;
/** Source: the vendor's page of spring 2026; newer videos go on by an omni-video. */
const EXTENDABLE: readonly string[] = ['kling-v1', 'kling-v1-5', 'kling-v1-6'];

const id = z.union([z.string(), z.int()]).transform(String).optional().catch(undefined);
const list = <K extends string>(key: K) => z.array(z.looseObject({ [key]: id })).catch([]);
const naming = z.looseObject({
  element_list: list('element_id'),
  voice_list: list('voice_id'),
  contents: z.array(z.looseObject({ element_id: id, voice_id: id })).catch([]),
  settings: z.looseObject({ voice_id: id }).catch({}),
  element_voice_id: id,
  video_id: id,
  input: z.looseObject({ video_id: id }).catch({}),
  session_id: id,
  audio_id: id,
  face_choose: z.array(z.looseObject({ audio_id: id })).catch([]),
});

export function createLibrary(book: TaskBook, now: () => number): Library {
  /** Ids that are gone though their task is not. */
  const deleted = new Set<string>();
  const sessions = new Map<string, { readonly account: string; readonly until: number }>();
  const speeches = new Map<string, { readonly account: string; readonly until: number }>();
  const keep = (map: typeof sessions, entry: { account: string; until: number }): string => {
    const key = randomUUID();
    map.set(key, entry);
    const [oldest] = map.keys();
    if (map.size > MOST && oldest !== undefined) map.delete(oldest);
    return key;
  };
  const has = (map: typeof sessions, account: string, key: string) => {
    const entry = map.get(key);
    return key === SAMPLE || (entry?.account === account && entry.until > now());
  };
  const own = (account: string, what: 'elements' | 'voices', wanted: string) =>
    !deleted.has(wanted) &&
    book
      .all(account)
      .some(
        (task) =>
          ENDPOINTS[task.kind].result === what && statusAt(task, now()) === 'succeeded' && libraryId(task) === wanted,
      );
  const hasElement = (account: string, wanted: string) =>
    wanted === SAMPLE || PRESET_ELEMENTS.some((each) => each.element_id === wanted) || own(account, 'elements', wanted);
  const hasVoice = (account: string, wanted: string) =>
    wanted === SAMPLE || PRESET_VOICES.some((each) => each.voice_id === wanted) || own(account, 'voices', wanted);

  const badVideo = (account: string, kind: Kind | undefined, wanted: string): Answer | undefined => {
    if (wanted === SAMPLE) return undefined;
    const task = book.findAny(account, 'id', wanted.replace(/-0$/, ''));
    const isVideo = task !== undefined && ['videos', 'audios'].includes(ENDPOINTS[task.kind].result);
    if (!isVideo || !wanted.endsWith('-0') || statusAt(task, now()) !== 'succeeded') {
      return fail(1201, `video_id ${wanted} does not exist`);
    }
    if (isDeleted(task, now())) return fail(1201, `video_id ${wanted} is older than 30 days`);
    if (kind === 'video-extend' && task.model !== '' && !EXTENDABLE.includes(task.model)) {
      return fail(
        1201,
        `video_id ${wanted} is of ${task.model}, and only videos of ${EXTENDABLE.join(', ')} can be extended`,
      );
    }
    return undefined;
  };

  return {
    missing(account, kind, request) {
      const named = naming.parse(request);
      const present = (ids: readonly (string | undefined)[]) => ids.flatMap((each) => each ?? []);
      const elements = present([...named.element_list, ...named.contents].map(({ element_id }) => element_id));
      const voices = present([
        ...[...named.voice_list, ...named.contents].map(({ voice_id }) => voice_id),
        // Talking agents speak with voices of a catalogue of their own.
        named.element_voice_id,
      ]);
      const audios = present([named.audio_id, ...named.face_choose.map(({ audio_id }) => audio_id)]);
      for (const each of elements) {
        if (!hasElement(account, each)) return fail(1201, `element_id ${each} does not exist`);
      }
      for (const each of voices) if (!hasVoice(account, each)) return fail(1201, `voice_id ${each} does not exist`);
      for (const each of audios) {
        if (!has(speeches, account, each))
          return fail(1201, `audio_id ${each} does not exist or is older than 30 days`);
      }
      if (named.session_id !== undefined && !has(sessions, account, named.session_id)) {
        return fail(1201, `session_id ${named.session_id} does not exist or is over`);
      }
      for (const each of present([named.video_id, named.input.video_id])) {
        const bad = badVideo(account, kind, each);
        if (bad !== undefined) return bad;
      }
      return undefined;
    },
    delete(account, what, wanted) {
      if (wanted === SAMPLE) return true;
      if (!own(account, what, wanted)) return false;
      deleted.add(wanted);
      const [oldest] = deleted;
      if (deleted.size > MOST && oldest !== undefined) deleted.delete(oldest);
      return true;
    },
    openSession: (account) => keep(sessions, { account, until: now() + DAY_MS }),
    addSpeech: (account) => keep(speeches, { account, until: now() + SPEECH_MS }),
    clear() {
      for (const each of [deleted, sessions, speeches]) each.clear();
    },
  };
}
