import { setTimeout } from 'node:timers/promises';
import type { ApiClient, Call, Picture } from '../api-client.ts';
import { ApiError } from '../errors.ts';
import type { Task } from '../task.ts';

export const PICTURE_LIMIT_BYTES = 4 * 1024 * 1024;
export const PICTURE_COUNT = 4;

/** Before each further try: a storage or an API may be busy for a moment, and who asks does not wait long. */
const PAUSES_MS = [300, 1_000];

export interface Shown {
  readonly pictures: readonly Picture[];
  /** What is not among them and why, a line each. */
  readonly missing: readonly string[];
}

export const NO_PICTURES: Shown = { pictures: [], missing: [] };

/**
 * The pictures of a finished task, to show in the result itself. One that cannot
 * be had is left out, and that is said: its address is in the task, and the task did succeed.
 */
export async function picturesOf(api: ApiClient, call: Call, task: Task): Promise<Shown> {
  if (task.status !== 'succeeded') return NO_PICTURES;
  const images = task.result?.images ?? [];
  const found = await Promise.all(
    images.slice(0, PICTURE_COUNT).map((image, position) => load(api, call, task.id, image.index ?? position)),
  );
  const missing = found.flatMap((each, position) =>
    typeof each === 'string' ? [`Picture ${position + 1} is not shown here: ${each}`] : [],
  );
  if (images.length > PICTURE_COUNT)
    missing.push(`Only ${PICTURE_COUNT} of ${images.length} pictures are shown here; the task has the links of all.`);
  return { pictures: found.filter((each) => typeof each !== 'string'), missing };
}

/** @returns why not, where it cannot be had */
async function load(api: ApiClient, call: Call, taskId: string, index: number): Promise<Picture | string> {
  for (let tries = 0; ; tries += 1) {
    try {
      const picture = await api.picture(call, taskId, index, PICTURE_LIMIT_BYTES);
      const limit = PICTURE_LIMIT_BYTES / 1024 / 1024;
      return picture ?? `it is larger than ${limit} MiB, or no picture. The task has its link.`;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const pause = PAUSES_MS[tries];
      if (!error.retryable || pause === undefined) return error.message;
      await setTimeout(pause, undefined, { signal: call.signal });
    }
  }
}
