import { ENDPOINTS } from '@klingapi/kling';
import type { SandboxTask } from './tasks.ts';

/**
 * What a task that succeeded gives, in the shapes of both families.
 * @param base scheme and host that the client reached us by, so that result URLs work for it
 */
export function legacyResult(task: SandboxTask, base: string): Record<string, unknown> {
  const at = (index: number, extension: string) => `${base}/results/${task.id}/${index}.${extension}`;
  const id = `${task.id}-0`;
  switch (ENDPOINTS[task.kind].result) {
    case 'videos':
      return { videos: [{ id, url: at(0, 'mp4'), duration: task.seconds }] };
    case 'audios':
      return { audios: [{ id, url_wav: at(0, 'wav'), duration_wav: task.seconds }] };
    case 'elements':
      return { elements: [{ element_id: digits(task.id), element_name: task.prompt, owned_by: 'sandbox' }] };
    case 'voices':
      return { voices: [{ voice_id: digits(task.id), voice_name: task.prompt, trial_url: at(0, 'wav') }] };
    case 'images':
      return { images: Array.from({ length: task.count }, (_, index) => ({ index, url: at(index, 'png') })) };
  }
}

export function outputs(task: SandboxTask, base: string): Record<string, unknown>[] {
  const at = (index: number, extension: string) => `${base}/results/${task.id}/${index}.${extension}`;
  const id = `${task.id}-0`;
  switch (ENDPOINTS[task.kind].result) {
    case 'videos':
      return [{ id, url: at(0, 'mp4'), duration: task.seconds }];
    case 'audios':
      return [{ id, wav_url: at(0, 'wav'), wav_duration: task.seconds }];
    case 'elements':
      return [{ id: digits(task.id), name: task.prompt, element_type: 'multi_image_elements', status: 'succeeded' }];
    case 'voices':
      return [{ id: digits(task.id), name: task.prompt, url: at(0, 'wav'), status: 'succeeded' }];
    case 'images':
      return Array.from({ length: task.count }, (_, index) => ({ url: at(index, 'png') }));
  }
}

/** Ids of the vendor are long numbers, told as text. */
function digits(id: string): string {
  return BigInt(`0x${id.replaceAll('-', '').slice(0, 15)}`).toString();
}
