import { z } from 'zod';
import type { App, Context } from '../context.ts';
import { fileReplies, refusals } from '../documented-replies.ts';
import { ownProblem } from '../problem.ts';
import { sendingTime, sendKept } from '../results/send-kept.ts';
import { EXTENSIONS } from './media-type.ts';
import { placeOf, tokenOf } from './upload.ts';

/**
 * The bytes of an upload for whoever knows its address: Kling, which has no key
 * of ours. There is no list of them, and only media is ever served.
 */
export function addPublicUploadRoute(app: App, context: Context): void {
  for (const method of ['GET', 'HEAD'] as const) addMethod(app, context, method);
}

const { 400: invalid, 404: missing, 416: outside, 500: broken, 503: away } = refusals(400, 404, 416);

function addMethod(app: App, { store, results }: Context, method: 'GET' | 'HEAD'): void {
  app.route({
    method,
    url: '/uploads/:file',
    exposeHeadRoute: false,
    config: { load: 'file' },
    schema: {
      operationId: method === 'GET' ? 'getUploadedFile' : 'headUploadedFile',
      tags: ['uploads'],
      security: [],
      summary: 'The bytes of an upload, or a range of them; needs no key but the address',
      params: z.object({ file: z.string().max(100) }),
      response: { ...fileReplies, 400: invalid, 404: missing, 416: outside, 500: broken, 503: away },
    },
    handler: async (request, reply) => {
      const token = tokenOf(request.params.file);
      const upload = token === undefined ? undefined : await store.findUpload({ token });
      const isRight = upload !== undefined && request.params.file === `${upload.token}.${EXTENSIONS[upload.type]}`;
      if (!isRight) throw ownProblem('upload_not_found', 'there is no upload at this address');
      const signal = sendingTime(reply);
      void reply
        .header('cache-control', 'private, max-age=300')
        .header('content-security-policy', "default-src 'none'; sandbox")
        .header('x-robots-tag', 'noindex');
      const kept = { etag: `"${upload.sha256}"`, type: upload.type, bytes: upload.bytes };
      if (await sendKept(results, reply, placeOf(upload.id), kept, signal)) return reply;
      throw ownProblem('upload_not_found', 'there is no upload at this address');
    },
  });
}
