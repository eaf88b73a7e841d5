import { KINDS } from '@klingapi/kling';
import { z } from 'zod';
import { callOf } from '../call.ts';
import { memoised } from '../memoised.ts';
import { isDone, taskSchema, taskStatusSchema } from '../task.ts';
import { declaresTasks } from '../tasks/extension.ts';
import { waitedTask } from '../tasks/kling-tasks.ts';
import { taskArguments, waitArguments } from './arguments.ts';
import { metaOf } from './cost.ts';
import { linksOf } from './links.ts';
import type { Offers } from './offers.ts';
import { picturesOf } from './pictures.ts';
import { nextStep, orErrorResult, taskOutput, taskResult } from './result.ts';
import type { ToolDependencies } from './tool-dependencies.ts';
import { progressOf, waitForTask } from './wait.ts';

/** What is asked of tasks that were made; the first four are the original's. */
export const TASK_TOOL_NAMES = [
  'get_task_status_tool',
  'get_task_result_tool',
  'get_single_task_tool',
  'wait_for_task_completion_tool',
] as const;
export const LIST_TOOL_NAME = 'list_tasks_tool';

const annotations = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true };
const _meta = metaOf(false);
const outputSchema = taskOutput;

const listArguments = memoised(
  z.strictObject({
    status: taskStatusSchema.optional().describe('Only tasks in this state'),
    kind: z.enum(KINDS).optional().describe('Only tasks of this kind'),
    limit: z.int().min(1).max(50).default(10).describe('How many at most'),
    cursor: z.string().min(1).max(200).optional().describe('nextCursor of the page before; keep the filters the same'),
  }),
);
const listSchema = z.looseObject({ tasks: z.array(taskSchema), nextCursor: z.string().optional() });
const listOutput = memoised(listSchema);

export function offerTaskTools(offers: Offers, { api, stopping, openWaits, era }: ToolDependencies): void {
  offers.quick(
    'get_task_status_tool',
    {
      title: 'State of a task',
      description:
        'Tells whether a task is submitted, processing, succeeded or failed, and nothing more. To wait for its end take wait_for_task_completion_tool.',
      inputSchema: taskArguments,
      outputSchema,
      annotations,
      _meta,
    },
    ({ task_id }, ctx) =>
      orErrorResult(async () => {
        const task = await api.task(callOf(ctx), task_id, 'status');
        return { ...taskResult(task, nextStep(task)), isError: false };
      }),
  );

  offers.quick(
    'get_task_result_tool',
    {
      title: 'Result of a task',
      description:
        'Gives the result of a finished task: pictures themselves, and links to all files. For one that may not have ended take wait_for_task_completion_tool.',
      inputSchema: taskArguments,
      outputSchema,
      annotations,
      _meta,
    },
    ({ task_id }, ctx) =>
      orErrorResult(async () => {
        const call = callOf(ctx);
        const task = await api.task(call, task_id, 'result');
        return taskResult(task, nextStep(task), await picturesOf(api, call, task), linksOf(ctx, task));
      }),
  );

  offers.quick(
    'get_single_task_tool',
    {
      title: 'Everything about a task',
      description: 'Gives a task as it is now, with its request, state, times, result and error.',
      inputSchema: taskArguments,
      outputSchema,
      annotations,
      _meta,
    },
    ({ task_id }, ctx) =>
      orErrorResult(async () => {
        const call = callOf(ctx);
        const task = await api.task(call, task_id);
        return {
          ...taskResult(task, nextStep(task), await picturesOf(api, call, task), linksOf(ctx, task)),
          isError: false,
        };
      }),
  );

  offers.waiting(
    'wait_for_task_completion_tool',
    {
      title: 'Wait for a task',
      description:
        'Waits until a task is done and gives its result, pictures and links to all files included. Prefer this to asking for the state again and again.',
      inputSchema: waitArguments,
      outputSchema,
      annotations,
      _meta,
    },
    ({ task_id, timeout, poll_interval }, ctx) =>
      orErrorResult(async () => {
        const call = callOf(ctx);
        if (declaresTasks(ctx)) {
          const task = await api.task(call, task_id);
          if (!isDone(task.status)) return waitedTask(task, Date.now());
          return taskResult(task, nextStep(task), await picturesOf(api, call, task), linksOf(ctx, task));
        }
        // In the newer era a client just goes away.
        const wait = era === 'legacy' ? openWaits.open(call.subject, ctx.mcpReq.id) : null;
        const task = await waitForTask(api, call, {
          taskId: task_id,
          timeoutSeconds: timeout,
          progressSeconds: poll_interval,
          now: () => performance.now(),
          progress: progressOf(ctx, timeout),
          stopping: wait === null ? stopping : AbortSignal.any([stopping, wait.ended]),
        }).finally(wait?.close);
        const note = isDone(task.status) ? nextStep(task) : `The wait is over, the task goes on. ${nextStep(task)}`;
        return taskResult(task, note, await picturesOf(api, call, task), linksOf(ctx, task));
      }),
  );
}

export function offerTaskList(offers: Offers, { api }: ToolDependencies): void {
  offers.quick(
    LIST_TOOL_NAME,
    {
      title: 'Tasks made so far',
      description: 'Lists the tasks of the caller, newest first: to find one whose id is not known any longer.',
      inputSchema: listArguments,
      outputSchema: listOutput,
      annotations,
      _meta,
    },
    ({ status, kind, limit, cursor }, ctx) =>
      orErrorResult(async () => {
        const query = new URLSearchParams({
          limit: String(limit),
          ...(status === undefined ? {} : { status }),
          ...(kind === undefined ? {} : { kind }),
          ...(cursor === undefined ? {} : { cursor }),
        });
        const page = await api.ask(callOf(ctx), { method: 'GET', path: `/api/tasks?${query}` }, listSchema);
        const lines = page.tasks.map(
          (task) => `${task.id}: ${task.kind ?? 'task'}, ${task.status}, made ${task.createdAt ?? '?'}`,
        );
        const more =
          page.nextCursor === undefined ? [] : [`There are more: call again with cursor "${page.nextCursor}".`];
        const text = [...(lines.length === 0 ? ['There are none.'] : lines), ...more].join('\n');
        return { content: [{ type: 'text', text }], structuredContent: page };
      }),
  );
}
