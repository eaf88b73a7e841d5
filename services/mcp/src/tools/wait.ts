import { setTimeout } from 'node:timers/promises';
import type { ServerContext } from '@modelcontextprotocol/server';
import type { ApiClient, Call } from '../api-client.ts';
import { ApiError } from '../errors.ts';
import { isDone, type Task } from '../task.ts';

/** The API is asked to wait this long at most, so that a lost connection or a cancelled call shows soon. */
const SLICE_SECONDS = 20;
/** Failures in a row, about a second apart, until the wait gives up. */
const PATIENCE = 10;
/** For an answer of the API that is on its way when the time is over; clients give up soon after. */
const GRACE_MS = 2_000;

export interface WaitOptions {
  taskId: string;
  timeoutSeconds: number;
  /** Time between two calls of `progress`. */
  progressSeconds: number;
  /** Milliseconds, any origin. */
  now: () => number;
  progress: (elapsedSeconds: number, task: Task) => Promise<void>;
  /** Aborted when this process goes down or nobody waits any more: the caller gets the task as it is and may ask again. */
  stopping: AbortSignal;
}

/** Waits for the end of a task, in slices; returns the task as it is when the time is over. */
export async function waitForTask(api: ApiClient, call: Call, options: WaitOptions): Promise<Task> {
  const started = options.now();
  const elapsed = () => (options.now() - started) / 1000;
  const latest = AbortSignal.timeout(Math.ceil(options.timeoutSeconds * 1000) + GRACE_MS);
  const enough = AbortSignal.any([options.stopping, latest]);
  const stoppable = { ...call, signal: AbortSignal.any([call.signal, enough]) };
  let task = await api.task(call, options.taskId);
  let failures = 0;
  while (!isDone(task.status)) {
    const left = options.timeoutSeconds - elapsed();
    if (left <= 0) break;
    await options.progress(elapsed(), task);
    const slice = Math.max(1, Math.ceil(Math.min(left, SLICE_SECONDS, options.progressSeconds)));
    const asked = options.now();
    try {
      task = await api.wait(stoppable, task.id, slice);
      failures = 0;
      if (isDone(task.status)) break;
    } catch (error) {
      call.signal.throwIfAborted();
      if (enough.aborted) break;
      failures += 1;
      // An API that is being replaced is back within seconds; the task goes on meanwhile.
      if (!(error instanceof ApiError && error.retryable && failures < PATIENCE)) throw error;
    }
    // Also an API that answers too soon is not asked more than once a second.
    await pause(1000 - (options.now() - asked), stoppable.signal);
    call.signal.throwIfAborted();
    if (enough.aborted) break;
  }
  return task;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await setTimeout(ms, undefined, { signal }).catch(() => {});
}

/** Progress goes only to those who asked for it with a token. */
export function progressOf(ctx: ServerContext, timeoutSeconds: number): WaitOptions['progress'] {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return async () => {};
  return async (elapsedSeconds, task) => {
    await ctx.mcpReq.notify({
      method: 'notifications/progress',
      params: {
        progressToken,
        progress: Math.round(elapsedSeconds * 10) / 10,
        total: timeoutSeconds,
        message: `The task is ${task.status}`,
      },
    });
  };
}
