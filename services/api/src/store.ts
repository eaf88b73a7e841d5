import type { KlingRequest } from '@klingapi/kling';
import type { State, Task } from './task.ts';

export interface NewTask extends Pick<Task, 'id' | 'subject' | 'kind' | 'createdAt' | 'request'> {
  /** The whole request, pictures included; kept until Kling has the task. */
  readonly payload: KlingRequest;
  readonly idempotency?: { readonly key: string; readonly fingerprint: string } | undefined;
}

/** `added`, or what the subject's idempotency key stands for already. */
export type Added =
  | { readonly outcome: 'added' | 'known'; readonly task: Task }
  | { readonly outcome: 'key-of-another-request' };

export type TaskChange = Partial<Pick<Task, 'state' | 'upstreamId' | 'files' | 'error' | 'units' | 'pollAt'>> & {
  readonly updatedAt: number;
  /** Lets the idempotency key go, when certainly no task was made for it. */
  readonly releaseKey?: boolean;
};

/** Where tasks live. Every write is on disk when the call returns. */
export interface TaskStore {
  add(task: NewTask): Added;
  find(id: string): Task | undefined;
  /** The whole request of a task that Kling may not have yet. */
  payload(id: string): unknown;
  /** Leaves out what the change leaves out; drops the payload once the task is no longer `submitting`. */
  change(id: string, change: TaskChange): Task;
  /** Tasks whose submission was not seen to end: after a restart. */
  submitting(): Task[];
  due(now: number, limit: number): Task[];
  nextDue(): number | undefined;
  counts(): Partial<Record<State, number>>;
  /** @throws when the storage cannot be reached */
  ping(): void;
  close(): void;
}
