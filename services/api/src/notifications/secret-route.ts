import { z } from 'zod';
import { bearer, requireScope, subjectOf } from '../access.ts';
import type { App, Context } from '../context.ts';
import { ownProblem, problemSchema } from '../problem.ts';
import { callbackSecret } from './callback-key.ts';

export function addSecretRoute(app: App, { authenticate, masterKey }: Context): void {
  app.route({
    method: 'GET',
    url: '/api/callback-secret',
    onRequest: requireScope(authenticate, 'create'),
    schema: {
      tags: ['callbacks'],
      security: bearer,
      summary: 'The secret that messages to the callback_url of the caller are signed with (Standard Webhooks)',
      response: {
        200: z.object({ secret: z.string() }),
        '4xx': { description: 'Refused', content: { 'application/problem+json': { schema: problemSchema } } },
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
