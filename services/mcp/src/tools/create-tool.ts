import type { Kind } from '@klingapi/kling';
import type { z } from 'zod';
import type { ApiClient } from '../api-client.ts';
import { callOf } from '../call.ts';
import { memoised } from '../memoised.ts';
import { isDone } from '../task.ts';
import { declaresTasks } from '../tasks/extension.ts';
import { madeTask } from '../tasks/kling-tasks.ts';
import { metaOf } from './cost.ts';
import { linksOf } from './links.ts';
import type { Offers } from './offers.ts';
import { NO_PICTURES } from './pictures.ts';
import { nextStep, orErrorResult, taskOutput, taskResult } from './result.ts';
import type { Toolset } from './toolsets.ts';

/** A tool that starts a task, and so costs money as a rule. */
export interface CreateTool {
  readonly name: string;
  readonly toolset: Toolset;
  /**
   * What the API would be asked for.
   * @throws ZodError when the tool does not take these arguments
   */
  requestOf(given: unknown): Wanted;
  offer(offers: Offers, api: ApiClient): void;
}

interface Definition<Arguments extends z.ZodType> {
  readonly name: string;
  readonly toolset: Toolset;
  readonly title: string;
  readonly description: string;
  /** Some things are kept for nothing. */
  readonly free?: boolean;
  readonly arguments: Arguments;
  /** What the API is to be asked for. */
  readonly request: (given: z.output<Arguments>) => Wanted;
}

interface Wanted {
  readonly kind: CreatedKind;
  /** As the route of the kind takes it; what is undefined is left out. */
  readonly request: Readonly<Record<string, unknown>>;
}

/** Routes of the API. */
const PATHS = {
  'text-to-image': '/api/images/generations',
  'omni-image': '/api/images/omni',
  'image-expand': '/api/images/expand',
  'multi-shot-image': '/api/images/multi-shot',
  'text-to-video': '/api/videos/text-to-video',
  'image-to-video': '/api/videos/image-to-video',
  'omni-video': '/api/videos/omni',
  'video-extend': '/api/videos/extend',
  'motion-control': '/api/videos/motion-control',
  effects: '/api/videos/effects',
  'lip-sync': '/api/videos/lip-sync',
  avatar: '/api/videos/avatar',
  'text-to-audio': '/api/audio/text-to-audio',
  'video-to-audio': '/api/audio/video-to-audio',
  element: '/api/elements',
  voice: '/api/voices',
  'virtual-try-on': '/api/try-on/virtual',
} as const satisfies Partial<Record<Kind, string>>;
/** Kinds of tasks that a tool makes. */
export type CreatedKind = keyof typeof PATHS;

const AFTERWARDS = 'Returns at once with a task; unless it has ended, call wait_for_task_completion_tool with its id.';
/** Starts something that is paid for, outside, and is not undone by anything. */
const annotations = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true };

export function createTool<Arguments extends z.ZodType>(tool: Definition<Arguments>): CreateTool {
  const { name, toolset, title } = tool;
  const costs = tool.free !== true;
  const description = `${tool.description} ${costs ? 'Costs money' : 'Costs nothing'}. ${AFTERWARDS}`;
  const inputSchema = memoised<z.input<Arguments>, z.output<Arguments>>(tool.arguments);
  return {
    name,
    toolset,
    requestOf: (given) => tool.request(tool.arguments.parse(given)),
    offer(offers, api) {
      offers.quick(
        name,
        { title, description, inputSchema, outputSchema: taskOutput, annotations, _meta: metaOf(costs) },
        (given, ctx) =>
          orErrorResult(async () => {
            const { kind, request } = tool.request(given);
            const task = await api.create(callOf(ctx), PATHS[kind], request);
            if (declaresTasks(ctx) && !isDone(task.status)) return madeTask(task, Date.now());
            return taskResult(task, nextStep(task), NO_PICTURES, linksOf(ctx, task));
          }),
      );
    },
  };
}
