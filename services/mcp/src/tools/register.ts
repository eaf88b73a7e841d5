import type { McpServer } from '@modelcontextprotocol/server';
import type { ApiClient } from '../api-client.ts';
import { callOf } from '../call.ts';
import { isDone } from '../task.ts';
import {
  imageToVideoArguments,
  taskArguments,
  textToImageArguments,
  textToVideoArguments,
  virtualTryOnArguments,
  waitArguments,
} from './arguments.ts';
import { picturesOf } from './pictures.ts';
import { nextStep, orErrorResult, taskOutput, taskResult } from './result.ts';
import { isOffered, type Toolsets } from './toolsets.ts';
import { progressOf, waitForTask } from './wait.ts';

export interface ToolDependencies {
  api: ApiClient;
  stopping: AbortSignal;
  toolsets: Toolsets;
}

export const TOOL_NAMES = [
  'create_text_to_image_tool',
  'create_text_to_video_tool',
  'create_image_to_video_tool',
  'create_virtual_try_on_tool',
  'get_task_status_tool',
  'get_task_result_tool',
  'get_single_task_tool',
  'wait_for_task_completion_tool',
] as const;

/** What costs money, and so takes the scope `create`. */
export const CREATING_TOOLS: ReadonlySet<string> = new Set(TOOL_NAMES.filter((name) => name.startsWith('create_')));

/** A create starts something that is paid for, outside, and is not undone by anything. */
const creates = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true };
const reads = { readOnlyHint: true, idempotentHint: true, openWorldHint: true };
const outputSchema = taskOutput;
const AFTERWARDS = 'Returns at once with a task; then call wait_for_task_completion_tool with its id.';

export function registerTools(server: McpServer, { api, stopping, toolsets }: ToolDependencies): void {
  if (isOffered('create_text_to_image_tool', toolsets)) {
    server.registerTool(
      'create_text_to_image_tool',
      {
        title: 'Make a picture from text',
        description: `Starts a task that draws a picture from a description. Costs money. ${AFTERWARDS}`,
        inputSchema: textToImageArguments,
        outputSchema,
        annotations: creates,
      },
      ({ prompt, aspect_ratio, negative_prompt }, ctx) =>
        orErrorResult(async () => {
          const body = { prompt, aspect_ratio, negative_prompt };
          const task = await api.create(callOf(ctx), '/api/images/generations', body);
          return taskResult(task, nextStep(task));
        }),
    );
  }

  if (isOffered('create_text_to_video_tool', toolsets)) {
    server.registerTool(
      'create_text_to_video_tool',
      {
        title: 'Make a video from text',
        description: `Starts a task that makes a video from a description. Costs money, takes minutes. ${AFTERWARDS}`,
        inputSchema: textToVideoArguments,
        outputSchema,
        annotations: creates,
      },
      ({ prompt, aspect_ratio, duration, cfg_scale }, ctx) =>
        orErrorResult(async () => {
          const body = { prompt, aspect_ratio, duration: String(duration), cfg_scale };
          const task = await api.create(callOf(ctx), '/api/videos/text-to-video', body);
          return taskResult(task, nextStep(task));
        }),
    );
  }

  if (isOffered('create_image_to_video_tool', toolsets)) {
    server.registerTool(
      'create_image_to_video_tool',
      {
        title: 'Make a video from a picture',
        description: `Starts a task that makes a video whose first frame is a picture. Costs money, takes minutes. ${AFTERWARDS}`,
        inputSchema: imageToVideoArguments,
        outputSchema,
        annotations: creates,
      },
      ({ image_url, prompt, duration, cfg_scale }, ctx) =>
        orErrorResult(async () => {
          const body = { image: image_url, prompt, duration: String(duration), cfg_scale };
          const task = await api.create(callOf(ctx), '/api/videos/image-to-video', body);
          return taskResult(task, nextStep(task));
        }),
    );
  }

  if (isOffered('create_virtual_try_on_tool', toolsets)) {
    server.registerTool(
      'create_virtual_try_on_tool',
      {
        title: 'Dress a person in a garment',
        description: `Starts a task that shows the person of one picture in the garment of another. Costs money. ${AFTERWARDS}`,
        inputSchema: virtualTryOnArguments,
        outputSchema,
        annotations: creates,
      },
      ({ person_image, garment_image }, ctx) =>
        orErrorResult(async () => {
          const body = { human_image: person_image, cloth_image: garment_image };
          const task = await api.create(callOf(ctx), '/api/try-on/virtual', body);
          return taskResult(task, nextStep(task));
        }),
    );
  }

  server.registerTool(
    'get_task_status_tool',
    {
      title: 'State of a task',
      description: 'Tells whether a task is submitted, processing, succeeded or failed, and nothing more.',
      inputSchema: taskArguments,
      outputSchema,
      annotations: reads,
    },
    ({ task_id }, ctx) =>
      orErrorResult(async () => {
        const task = await api.task(callOf(ctx), task_id, 'status');
        return { ...taskResult(task, nextStep(task)), isError: false };
      }),
  );

  server.registerTool(
    'get_task_result_tool',
    {
      title: 'Result of a task',
      description: 'Gives the result of a finished task: pictures themselves, and addresses of all files.',
      inputSchema: taskArguments,
      outputSchema,
      annotations: reads,
    },
    ({ task_id }, ctx) =>
      orErrorResult(async () => {
        const call = callOf(ctx);
        const task = await api.task(call, task_id, 'result');
        return taskResult(task, nextStep(task), await picturesOf(api, call, task));
      }),
  );

  server.registerTool(
    'get_single_task_tool',
    {
      title: 'Everything about a task',
      description: 'Gives a task with its request, state, times, result and error.',
      inputSchema: taskArguments,
      outputSchema,
      annotations: reads,
    },
    ({ task_id }, ctx) =>
      orErrorResult(async () => {
        const call = callOf(ctx);
        const task = await api.task(call, task_id);
        return { ...taskResult(task, nextStep(task), await picturesOf(api, call, task)), isError: false };
      }),
  );

  server.registerTool(
    'wait_for_task_completion_tool',
    {
      title: 'Wait for a task',
      description:
        'Waits until a task is done and gives its result, pictures included. Prefer this to asking for the state again and again.',
      inputSchema: waitArguments,
      outputSchema,
      annotations: reads,
    },
    ({ task_id, timeout, poll_interval }, ctx) =>
      orErrorResult(async () => {
        const call = callOf(ctx);
        const task = await waitForTask(api, call, {
          taskId: task_id,
          timeoutSeconds: timeout,
          progressSeconds: poll_interval,
          now: () => performance.now(),
          progress: progressOf(ctx, timeout),
          stopping,
        });
        const note = isDone(task.status) ? nextStep(task) : `The wait is over, the task goes on. ${nextStep(task)}`;
        return taskResult(task, note, await picturesOf(api, call, task));
      }),
  );
}
