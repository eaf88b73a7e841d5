import { ENDPOINTS } from '@klingapi/kling';
import type { SandboxTask } from './task.ts';

type Out = Record<string, unknown>;

/** Addresses of what a task gives. `base`: scheme and host that the client reached us by, so that they work for it. */
function addresses(task: SandboxTask, base: string) {
  const at = (index: number, extension: string) => `${base}/results/${task.id}/${index}.${extension}`;
  const marked = (index: number, extension: string): Out =>
    task.hasWatermark ? { watermark_url: at(index, `watermark.${extension}`) } : {};
  return { at, marked, indices: Array.from({ length: task.count }, (_, index) => index) };
}

/** What a task that succeeded gives, as the legacy family tells it. */
export function legacyResult(task: SandboxTask, base: string): Out {
  const { at, marked, indices } = addresses(task, base);
  const id = videoId(task);
  const seconds = String(task.seconds);
  const video = { id, url: at(0, 'mp4'), ...marked(0, 'mp4'), duration: seconds };
  if (task.kind === 'multi-shot-image') {
    const rows = [0, 1, 2].map((row) => ({
      ...{ index: row, url_1: at(row * 3, 'png'), url_2: at(row * 3 + 1, 'png'), url_3: at(row * 3 + 2, 'png') },
    }));
    return { images: rows };
  }
  switch (ENDPOINTS[task.kind].result) {
    case 'videos':
      return { videos: [video] };
    case 'audios': {
      const sound = { id: `${task.id}-a`, url_mp3: at(0, 'mp3'), url_wav: at(0, 'wav') };
      const audios = [{ ...sound, duration_mp3: seconds, duration_wav: seconds }];
      return task.kind === 'video-to-audio' ? { videos: [video], audios } : { audios };
    }
    case 'elements':
      return {
        elements: [{ element_id: libraryId(task), element_name: task.name, owned_by: OWNER, status: 'succeed' }],
      };
    case 'voices':
      return {
        voices: [{ voice_id: libraryId(task), voice_name: task.name, trial_url: at(0, 'wav'), owned_by: OWNER }],
      };
    case 'images': {
      const images = indices.map((index) => ({ index, url: at(index, 'png'), ...marked(index, 'png') }));
      if (task.kind !== 'omni-image') return { images };
      const result_type = task.isSeries ? 'series' : 'single';
      return task.isSeries ? { result_type, series_images: images } : { result_type, images };
    }
  }
}

/** The same as the new family tells it, whatever family made the task. */
export function outputs(task: SandboxTask, base: string): Out[] {
  const { at, marked, indices } = addresses(task, base);
  const id = videoId(task);
  const seconds = String(task.seconds);
  const video = { id, url: at(0, 'mp4'), ...marked(0, 'mp4'), duration: seconds };
  if (task.kind === 'multi-shot-image') return Array.from({ length: 9 }, (_, index) => ({ url: at(index, 'png') }));
  switch (ENDPOINTS[task.kind].result) {
    case 'videos':
      return [video];
    case 'audios': {
      const sound = { id: `${task.id}-a`, mp3_url: at(0, 'mp3'), wav_url: at(0, 'wav') };
      const audio = { ...sound, mp3_duration: seconds, wav_duration: seconds };
      return task.kind === 'video-to-audio' ? [video, audio] : [audio];
    }
    case 'elements':
      return [
        {
          ...{ id: libraryId(task), name: task.name, element_type: 'multi_image_elements', owned_by: OWNER },
          status: 'succeeded',
        },
      ];
    case 'voices':
      return [{ id: libraryId(task), name: task.name, url: at(0, 'wav'), owned_by: OWNER, status: 'succeeded' }];
    case 'images':
      return indices.map((index) => ({ url: at(index, 'png'), ...marked(index, 'png') }));
  }
}

const OWNER = 'sandbox';

/** What later calls name the video of a task by. */
export function videoId(task: SandboxTask): string {
  return `${task.id}-0`;
}

/** Ids of elements and voices are long numbers, told as text. */
export function libraryId(task: SandboxTask): string {
  return BigInt(`0x${task.id.replaceAll('-', '').slice(0, 15)}`).toString();
}
