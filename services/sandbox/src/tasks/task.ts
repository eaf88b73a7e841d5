import type { Kind } from '@klingapi/kling';
import type { Struck } from '../faults/script.ts';
import type { PackType } from '../packs.ts';

export interface SandboxTask {
  readonly id: string;
  /** Grows from task to task: the place in lists. */
  readonly sequence: number;
  readonly kind: Kind;
  readonly externalId: string | undefined;
  /** The account it belongs to: the bearer key it came with. */
  readonly account: string;
  readonly model: string;
  /** Decides what its pictures look like. */
  readonly seed: string;
  /** Of an element or a voice. */
  readonly name: string;
  readonly aspectRatio: string;
  /** Pictures, or 1. */
  readonly count: number;
  /** Whether the pictures are one series. */
  readonly isSeries: boolean;
  /** Length of what it gives. */
  readonly seconds: number;
  readonly hasSound: boolean;
  readonly hasWatermark: boolean;
  /** The video that it goes on from. */
  readonly parentVideo: string | undefined;
  /** Unix milliseconds, of the sandbox's time. */
  readonly createdAt: number;
  /** Infinity: never. */
  readonly finishesAt: number;
  readonly units: number;
  readonly pack: PackType;
  /** Where changes are told. */
  readonly callbackUrl: string | undefined;
  /** Strikes it, its results or its callbacks. */
  readonly struck: Struck | undefined;
}

export type TaskStatus = 'submitted' | 'processing' | 'succeeded' | 'failed';

/** The first tenth of a task's life is `submitted`, then it is `processing`. */
export function statusAt(task: SandboxTask, now: number): TaskStatus {
  if (now >= task.finishesAt) return task.struck?.fault === 'task-fails' ? 'failed' : 'succeeded';
  const life = task.finishesAt === Infinity ? 1000 : task.finishesAt - task.createdAt;
  return now < task.createdAt + life / 10 ? 'submitted' : 'processing';
}

/** What moderation says of a task that is made and fails later. */
export const FAILURE = 'Failure to pass the risk control system';

/** Results are deleted so long after their task has ended. Source: every page of the vendor. */
export const KEPT_MS = 30 * 86_400_000;

export function isDeleted(task: SandboxTask, now: number): boolean {
  return now > task.finishesAt + KEPT_MS;
}
