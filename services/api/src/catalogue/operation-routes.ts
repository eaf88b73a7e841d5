import { OPERATION_EXAMPLES, OPERATIONS, type Operation, type OperationName } from '@klingapi/kling';
import { z } from 'zod';
import { bearer, requireScope } from '../access.ts';
import type { App, Context } from '../context.ts';
import { refusals } from '../documented-replies.ts';
import { operationId } from '../openapi.ts';
import { makeCall } from './calls.ts';

/** Where each call is that makes no task. */
const PATHS: Readonly<Record<OperationName, string>> = {
  'text-to-speech': 'audio/speech',
  'identify-face': 'videos/faces',
  'image-recognize': 'images/recognize',
  'selection-start': 'videos/selection/start',
  'selection-add': 'videos/selection/add',
  'selection-delete': 'videos/selection/delete',
  'selection-clear': 'videos/selection/clear',
  'selection-preview': 'videos/selection/preview',
  'preset-elements': 'elements/presets',
  'delete-element': 'elements/delete',
  'preset-voices': 'voices/presets',
  'delete-voice': 'voices/delete',
  'account-costs': 'account/costs',
  'account-packages': 'account/packages',
  'account-balance': 'account/balance',
};
const isOperation = (name: string): name is OperationName => name in OPERATIONS;
export const OPERATION_NAMES = Object.keys(OPERATIONS).filter(isOperation);

/** Answered by Kling at once; the answer goes on as it came. */
export function addOperationRoutes(app: App, context: Context): void {
  for (const name of OPERATION_NAMES) {
    const { method, summary, schema, scope }: Operation = OPERATIONS[name];
    app.route({
      method,
      url: `/api/${PATHS[name]}`,
      onRequest: requireScope(context.authenticate, scope),
      schema: {
        operationId: operationId('call', name),
        tags: ['calls'],
        security: bearer,
        summary,
        ...(method === 'GET' ? { querystring: schema } : { body: schema, bodyExample: OPERATION_EXAMPLES[name] }),
        response: {
          200: z.object({ data: z.unknown() }),
          ...refusals(400, 402, 413, 415, 422, 429, 502),
        },
      },
      handler: async (request) => ({ data: await makeCall(context, request, name) }),
    });
  }
}
