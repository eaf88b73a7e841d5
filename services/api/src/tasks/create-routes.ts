import { EXAMPLES, KINDS, type Kind, REQUESTS } from '@klingapi/kling';
import { z } from 'zod';
import { bearer, requireScope } from '../access.ts';
import type { App, Context } from '../context.ts';
import { refusals } from '../documented-replies.ts';
import { operationId } from '../openapi.ts';
import { callbackUrl } from './callback-url.ts';
import { createTask } from './creation.ts';
import { describeTask, taskReplySchema } from './task.ts';

/** Where each kind of task is made, below `/api`. The first four are the original's paths. */
export const CREATE_ROUTES: Readonly<Record<Kind, readonly [path: string, summary: string]>> = {
  'text-to-image': ['images/generations', 'Make pictures from a text'],
  'text-to-video': ['videos/text-to-video', 'Make a video from a text'],
  'image-to-video': ['videos/image-to-video', 'Make a video from a picture'],
  'virtual-try-on': ['try-on/virtual', 'Dress a person in a garment'],
  'omni-image': ['images/omni', 'Make pictures from a text, pictures and elements'],
  'multi-image-to-image': ['images/multi-image', 'Make pictures of several subjects'],
  'image-expand': ['images/expand', 'Make a picture larger on its sides'],
  'multi-shot-image': ['images/multi-shot', 'Make other views of a person or thing'],
  'omni-video': ['videos/omni', 'Make or edit a video from a text, pictures, elements and a video'],
  'multi-image-to-video': ['videos/multi-image', 'Make a video of several pictures'],
  'motion-control': ['videos/motion-control', 'Move a person as in a video'],
  'multi-elements': ['videos/multi-elements', 'Add, swap or remove what was chosen in a video'],
  'video-extend': ['videos/extend', 'Make a video longer'],
  'lip-sync': ['videos/lip-sync', 'Let a video speak, in one step'],
  'face-lip-sync': ['videos/face-lip-sync', 'Let a chosen face of a video speak'],
  avatar: ['videos/avatar', 'Let a picture speak'],
  effects: ['videos/effects', 'Put an effect on pictures'],
  'text-to-audio': ['audio/text-to-audio', 'Make a sound from a text'],
  'video-to-audio': ['audio/video-to-audio', 'Make the sound of a video'],
  element: ['elements', 'Make an element to use in prompts'],
  voice: ['voices', 'Make a voice from a sound'],
  'new-text-to-video': ['new/text-to-video', 'Make a video from a text, by models of the new family'],
  'new-image-to-video': ['new/image-to-video', 'Make a video from pictures, by models of the new family'],
  'new-omni-video': ['new/omni-video', 'Make or edit a video, by models of the new family'],
  'new-motion-control': ['new/motion-control', 'Move a person as in a video, by models of the new family'],
  'solution-try-on': ['solutions/try-on', 'Dress a person in a product'],
  'solution-clothing': ['solutions/clothing', 'Make a video of clothes after another'],
  'solution-goods': ['solutions/goods', 'Make a video of goods'],
  'solution-talking-agent': ['solutions/talking-agent', 'Let somebody present a script'],
  'solution-subtitle': ['solutions/subtitle', 'Give a video subtitles'],
};

const headers = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, '1 to 255 visible ASCII characters')
    .optional()
    .describe('The same key with the same body gives the same task, and is paid once'),
});
const label = z.object({
  callback_url: callbackUrl.optional().describe('Where the task is told when it changes, signed; see the README'),
});

/** The fields of a kind and those of this service; the request itself is read out of it again. */
function withCallback(schema: z.ZodObject): z.ZodObject {
  return schema.safeExtend(label.shape);
}

const byId = { parameters: { id: '$response.body#/id' } };
/** How the task of a reply is followed. */
const followLinks = {
  task: { operationId: 'getTask', ...byId },
  status: { operationId: 'getTaskStatus', ...byId },
  wait: { operationId: 'waitForTask', ...byId },
  result: { operationId: 'getTaskResult', ...byId },
  file: { operationId: 'getResultFile', parameters: { ...byId.parameters, index: '0' } },
};

export function addCreateRoutes(app: App, context: Context): void {
  for (const kind of KINDS) {
    const [path, summary] = CREATE_ROUTES[kind];
    app.route({
      method: 'POST',
      url: `/api/${path}`,
      onRequest: requireScope(context.authenticate, 'create'),
      schema: {
        operationId: operationId('create', kind),
        summary,
        tags: ['create'],
        links: { 202: followLinks },
        security: bearer,
        headers,
        body: withCallback(REQUESTS[kind]),
        bodyExample: EXAMPLES[kind],
        response: {
          202: {
            description: 'The task; ask for it by its id',
            headers: { location: { type: 'string', description: 'Path of the task' } },
            content: { 'application/json': { schema: taskReplySchema } },
          },
          ...refusals(400, 402, 409, 413, 415, 422, 429, 502),
        },
      },
      handler: async (request, reply) => {
        const task = await createTask(context, request, {
          kind,
          request: REQUESTS[kind].parse(request.body),
          idempotencyKey: request.headers['idempotency-key'],
          callbackUrl: label.parse(request.body).callback_url,
        });
        return await reply
          .code(202)
          .header('location', `/api/tasks/${task.id}`)
          .send(describeTask(task, context.publicUrl));
      },
    });
  }
}
