import { z } from 'zod';
import { bearer, requireScope, subjectOf } from '../access.ts';
import type { App, Context } from '../context.ts';
import { refusals } from '../documented-replies.ts';
import { ownProblem } from '../problem.ts';
import { callbackSecret } from './callback-key.ts';

export function addSecretRoute(app: App, { authenticate, masterKey }: Context): void {
  app.route({
    method: 'GET',
    url: '/api/callback-secret',
    onRequest: requireScope(authenticate, 'create'),
    schema: {
      operationId: 'getCallbackSecret',
      tags: ['callbacks'],
      security: bearer,
      summary: 'The secret that messages to the callback_url of the caller are signed with (Standard Webhooks)',
      response: {
        200: z.object({ secret: z.string() }),
        ...refusals(404),
      },
    },
    handler: (request) => {
      if (masterKey === undefined) {
        throw ownProblem('not_found', 'messages are not signed: this service has no internal key');
      }
      return Promise.resolve({ secret: callbackSecret(masterKey, subjectOf(request)) });
    },
  });
}
