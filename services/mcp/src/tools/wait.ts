import type { ServerContext } from '@modelcontextprotocol/server';
import type { ApiClient, Call } from '../api-client.ts';
import { isDone, type Task } from '../task.ts';

/** The API is asked to wait this long at most, so that a lost connection or a cancelled call shows soon. */
const SLICE_SECONDS = 20;

export interface WaitOptions {
  taskId: string;
  timeoutSeconds: number;
  /** Time between two calls of `progress`. */
  progressSeconds: number;
  /** Milliseconds, any origin. */
  now: () => number;
  progress: (elapsedSeconds: number, task: Task) => Promise<void>;
  /** Aborted when this process goes down: the caller gets the task as it is and may ask again elsewhere. */
  stopping: AbortSignal;
}

/** Waits for the end of a task, in slices; returns the task as it is when the time is over. */
export async function waitForTask(api: ApiClient, call: Call, options: WaitOptions): Promise<Task> {
  const started = options.now();
  const elapsed = () => (options.now() - started) / 1000;
  let task = await api.task(call, options.taskId);
  while (!isDone(task.status) && !options.stopping.aborted) {
    const left = options.timeoutSeconds - elapsed();
    if (left <= 0) break;
    await options.progress(elapsed(), task);
    const slice = Math.min(left, SLICE_SECONDS, options.progressSeconds);
    task = await sliceOrNow(api, call, task, slice, options.stopping);
  }
  return task;
}

async function sliceOrNow(
  api: ApiClient,
  call: Call,
  task: Task,
  seconds: number,
  stopping: AbortSignal,
): Promise<Task> {
  const signal = AbortSignal.any([call.signal, stopping]);
  try {
    return await api.wait({ ...call, signal }, task.id, Math.max(1, Math.ceil(seconds)));
  } catch (error) {
    if (stopping.aborted && !call.signal.aborted) return task;
    throw error;
  }
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
