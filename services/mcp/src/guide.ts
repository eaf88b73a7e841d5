import type { McpServer } from '@modelcontextprotocol/server';
import { taskStatusSchema } from './task.ts';
import { WAIT } from './tools/arguments.ts';
import { PICTURE_COUNT, PICTURE_LIMIT_BYTES } from './tools/pictures.ts';
import { offeredTools } from './tools/register.ts';
import type { Toolsets } from './tools/toolsets.ts';
import { NAME, VERSION } from './version.ts';

/** Nothing in it depends on another service, so it can be read while the API is down. */
const CONFIG = {
  service: NAME,
  version: VERSION,
  taskStatuses: taskStatusSchema.options,
  wait: WAIT,
  pictures: { perResult: PICTURE_COUNT, bytesEach: PICTURE_LIMIT_BYTES },
  aspectRatios: {
    images: ['1:1', '16:9', '9:16', '4:3', '3:4', '3:2', '2:3', '21:9'],
    videos: ['16:9', '9:16', '1:1'],
  },
  videoSeconds: { usual: [5, 10], 'kling-v3': '3 to 15' },
};

const GUIDE = `Kling makes pictures and videos in tasks that take from seconds to minutes.

1. Start a task with one of the create tools. It returns at once, with the id of the task.
   - create_text_to_image_tool: a picture from a description (20 to 60 seconds)
   - create_text_to_video_tool: a video from a description (1 to 5 minutes)
   - create_image_to_video_tool: a video whose first frame is a picture (1 to 5 minutes)
   - create_virtual_try_on_tool: a person in a garment, from two pictures (about 20 seconds)
   - create_image_from_images_tool: a picture edited, or made of several (20 to 60 seconds)
   - create_expanded_image_tool: a picture made larger on its sides (20 to 60 seconds)
   - create_image_views_tool: a person or thing from other sides (about a minute)
   - create_video_from_references_tool: a video with given frames, pictures, elements or after a video (1 to 5 minutes)
   - create_extended_video_tool: a video made longer (1 to 5 minutes)
   - create_motion_transfer_tool: a person who moves as in a video (1 to 5 minutes)
   - create_video_effect_tool: a named effect on pictures (1 to 5 minutes)
   - create_talking_video_tool: a picture or a video that speaks (1 to 10 minutes)
   - create_sound_tool: a sound from a description or for a video (about a minute)
   - create_element_tool, create_voice_tool: a person, a thing or a voice, kept to be used again
2. Unless the task has ended already, call wait_for_task_completion_tool with that id. It returns the result, pictures included.
3. When the wait ends before the task does, call it again; the task goes on meanwhile.

A task is "submitted", then "processing", then "succeeded" or "failed".
get_task_status_tool tells the state alone, get_task_result_tool the result, get_single_task_tool everything.
list_tasks_tool finds a task whose id is lost, list_models_tool tells what there is to choose from.
estimate_cost_tool tells what a create would cost before it is made, get_usage_tool what was spent.

Each create costs money. Do not repeat one because a wait took long, and tell the user when it is not known whether a create arrived.
Pictures are given as http(s) URLs that are open to everybody, or in Base64.`;

export function registerGuide(server: McpServer, toolsets: Toolsets): void {
  const tools = offeredTools(toolsets);
  server.registerResource(
    'config',
    'kling://config',
    {
      title: 'Configuration',
      description: 'Tools, limits and words of this service',
      mimeType: 'application/json',
      cacheHint: { ttlMs: 300_000, cacheScope: 'public' },
    },
    (uri) => ({
      contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify({ ...CONFIG, tools }, null, 2) }],
    }),
  );
  server.registerPrompt(
    'kling_usage_guide',
    { title: 'How to use Kling', description: 'Order of the tools, words for the state of a task, what costs money' },
    () => ({ messages: [{ role: 'user', content: { type: 'text', text: guide(tools) } }] }),
  );
}

/** Without the lines of tools that are switched off. */
function guide(tools: readonly string[]): string {
  return GUIDE.split('\n')
    .filter((line) => {
      const named = /^ {3}- (create_\w+)[:,]/.exec(line)?.[1];
      return named === undefined || tools.includes(named);
    })
    .join('\n');
}
