import type { ApiClient, Call, Picture } from '../api-client.ts';
import { ApiError } from '../errors.ts';
import type { Task } from '../task.ts';

export const PICTURE_LIMIT_BYTES = 4 * 1024 * 1024;
export const PICTURE_COUNT = 4;

/**
 * The pictures of a finished task, to show in the result itself. One that cannot
 * be had is left out: its address is in the task, and the task did succeed.
 */
export async function picturesOf(api: ApiClient, call: Call, task: Task): Promise<Picture[]> {
  if (task.status !== 'succeeded') return [];
  const images = (task.result?.images ?? []).slice(0, PICTURE_COUNT);
  const loaded = images.map(async (image, position) => {
    try {
      return await api.picture(call, task.id, image.index ?? position, PICTURE_LIMIT_BYTES);
    } catch (error) {
      if (error instanceof ApiError) return null;
      throw error;
    }
  });
  return (await Promise.all(loaded)).filter((picture) => picture !== null);
}
