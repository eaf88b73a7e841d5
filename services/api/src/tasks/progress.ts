import type { UpstreamTask } from '@klingapi/kling';
import type { TaskChange } from '../storage/store.ts';
import type { Details, Task, TaskFile } from './task.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** No task runs for a day: whether one was made is not looked up any longer than that. */
export const GIVE_UP_MS = 24 * 60 * MINUTE;

/** Kling deletes assets after 30 days; until then a look-up that fails says nothing about a task that was paid. */
export const KEPT_MS = 30 * GIVE_UP_MS;

/**
 * Milliseconds until Kling is asked again: often while a picture may be ready,
 * seldom for a task that is old. The vendor names no interval; queries are free.
 * Where Kling tells of changes by itself, asking is only for what it failed to tell.
 */
export function pollDelay(age: number, isTold = false): number {
  if (isTold) return age < 2 * MINUTE ? 20 * SECOND : MINUTE * 2;
  if (age < 3 * SECOND) return SECOND / 4;
  if (age < 30 * SECOND) return SECOND;
  if (age < 5 * MINUTE) return 5 * SECOND;
  if (age < 60 * MINUTE) return 15 * SECOND;
  return 2 * MINUTE;
}

/**
 * When to ask next, on a grid of a fifth of the delay, so that tasks of one age
 * are due together and fill a batch, over all replicas.
 * @returns milliseconds since the epoch
 */
export function pollAfter(now: number, delay: number): number {
  const grid = delay / 5;
  return Math.round((now + delay) / grid) * grid;
}

export interface ProgressOptions {
  readonly now: () => number;
  /** Whether results are kept here. */
  readonly keepsResults: boolean;
}

/** What of a task its progress goes by. */
type Followed = Pick<Task, 'state' | 'createdAt' | 'updatedAt'>;

/** What Kling tells of a task, as a change of ours. */
export interface Progress {
  of(task: Followed, upstream: UpstreamTask): TaskChange;
  pollDelay(age: number): number;
  /** A callback has come: there is less need to ask. */
  told(): void;
}

/** Callbacks that came prove for so long that the next will come too; an address that Kling cannot reach proves nothing. */
const PROVEN_MS = 60 * MINUTE;

export function createProgress({ now, keepsResults }: ProgressOptions): Progress {
  let toldAt = Number.NEGATIVE_INFINITY;
  const isTold = () => now() - toldAt < PROVEN_MS;
  return {
    told() {
      toldAt = now();
    },
    of(task, upstream) {
      const at = now();
      const change = progressOf(task, upstream, at, isTold());
      return keepsResults && change.state === 'succeeded' && (change.files ?? []).length > 0
        ? { ...change, mirrorAt: at }
        : change;
    },
    pollDelay: (age) => pollDelay(age, isTold()),
  };
}

/** Pure. */
export function progressOf(task: Followed, upstream: UpstreamTask, now: number, isTold = false): TaskChange {
  const base = { updatedAt: now, upstreamId: upstream.id };
  const units = upstream.units === undefined ? {} : unitsOf(upstream.units);
  if (upstream.status === 'failed') {
    const message = upstream.statusMessage === '' ? 'Kling told no reason' : upstream.statusMessage.slice(0, 500);
    return { ...base, ...units, state: 'failed', pollAt: null, error: { code: 'upstream_task_failed', message } };
  }
  if (upstream.status === 'succeeded') {
    const files = filesOf(upstream);
    const { elements, voices } = upstream;
    const details: Details = {
      ...(elements.length === 0 ? {} : { elements }),
      ...(voices.length === 0 ? {} : { voices }),
    };
    const hasDetails = Object.keys(details).length > 0;
    if (files.length === 0 && !hasDetails) {
      const error = { code: 'upstream_result', message: 'Kling told success without a result' };
      return { ...base, ...units, state: 'failed', pollAt: null, error };
    }
    return { ...base, ...units, state: 'succeeded', pollAt: null, files, ...(hasDetails ? { details } : {}) };
  }
  // A status that did not move is no update: `updatedAt` tells callers when something happened.
  const moved = upstream.status !== task.state;
  return {
    ...base,
    updatedAt: moved ? now : task.updatedAt,
    state: upstream.status,
    pollAt: pollAfter(now, pollDelay(now - task.createdAt, isTold)),
  };
}

function filesOf(upstream: UpstreamTask): TaskFile[] {
  const images = [...upstream.images].sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
  const groups = { images, videos: upstream.videos, audios: upstream.audios } as const;
  return (['images', 'videos', 'audios'] as const).flatMap((group) =>
    groups[group].map((file) => {
      const seconds = file.duration === undefined ? Number.NaN : Number(file.duration);
      return {
        url: file.url,
        group,
        ...(Number.isFinite(seconds) ? { durationSeconds: seconds } : {}),
        ...(file.id === undefined ? {} : { vendorId: file.id }),
        ...(file.watermark_url === undefined ? {} : { watermarkUrl: file.watermark_url }),
      };
    }),
  );
}

function unitsOf(text: string): { units?: number } {
  const units = Number(text);
  return Number.isFinite(units) ? { units } : {};
}
