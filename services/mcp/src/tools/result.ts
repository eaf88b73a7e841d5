import type { CallToolResult, ResourceLink } from '@modelcontextprotocol/server';
import { ApiError } from '../errors.ts';
import { memoised } from '../memoised.ts';
import { type Task, taskSchema } from '../task.ts';
import { NO_PICTURES, type Shown } from './pictures.ts';

/** Every tool answers with the task as the API tells it. */
export const taskOutput = memoised(taskSchema);

/** @param note what to do next, for the model */
export function taskResult(
  task: Task,
  note: string,
  { pictures, missing }: Shown = NO_PICTURES,
  links: readonly ResourceLink[] = [],
): CallToolResult {
  const failed = task.status === 'failed';
  return {
    content: [
      { type: 'text', text: [note, ...missing, JSON.stringify(task, null, 2)].join('\n') },
      ...pictures.map(({ data, mimeType }) => ({ type: 'image' as const, data, mimeType })),
      ...links,
    ],
    structuredContent: task,
    ...(failed ? { isError: true } : {}),
  };
}

/**
 * An error of the API becomes a result that the model can act on. Anything else
 * is a fault of ours (`offers.ts`).
 */
export async function orErrorResult(work: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { isError: true, content: [{ type: 'text', text: error.message }] };
  }
}

export function nextStep({ status, id, error }: Task): string {
  if (status === 'succeeded') return 'The task has succeeded.';
  if (status === 'failed') return `The task has failed: ${error?.message ?? 'no reason was given'}`;
  return `The task is ${status}. Call wait_for_task_completion_tool with task_id "${id}".`;
}
