import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { bearer, requireScope, subjectOf } from '../access.ts';
import type { App, Context } from '../context.ts';
import { refusals } from '../documented-replies.ts';
import { linger } from '../linger.ts';
import { ownProblem } from '../problem.ts';
import { type ResultStore, ResultStoreError, ResultStoreFullError } from '../results/result-store.ts';
import type { UploadsFull } from '../storage/store.ts';
import { LARGEST_BYTES } from './media-type.ts';
import { receive, tooLarge } from './receive.ts';
import { describeUpload, placeOf, type Upload, uploadId, uploadReplySchema } from './upload.ts';

/** Uploads of one caller that one process takes at once. */
const AT_ONCE = 4;
const MB = 1024 * 1024;

const params = z.object({ id: uploadId });

/** A local file in, an address out that any picture, video or sound of a request may be. */
export async function addUploadRoutes(app: App, context: Context): Promise<void> {
  const { store, uploads, now } = context;
  const underWay = new Map<string, number>();

  // The file is the body, whatever the sender calls it; only its content counts.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

  app.route({
    method: 'POST',
    url: '/api/uploads',
    onRequest: requireScope(context.authenticate, 'create'),
    config: { streamedBody: true },
    schema: {
      operationId: 'createUpload',
      tags: ['uploads'],
      security: bearer,
      summary: 'Store a picture, video or sound, which is the body itself; gives an address for requests',
      // A stream, which is judged as it comes in; for OpenAPI it is what a file is there.
      consumes: ['application/octet-stream'],
      body: z.unknown().meta({ type: 'string', format: 'binary' }),
      response: { 201: uploadReplySchema, ...refusals(400, 404, 411, 413, 415, 429, 507) },
    },
    handler: async (request, reply) => {
      const subject = subjectOf(request);
      const count = underWay.get(subject) ?? 0;
      try {
        const { results, bytes } = admit(context, request);
        if (count >= AT_ONCE) {
          throw ownProblem('uploads_limited', `${AT_ONCE} uploads at once are the most`, { retryAfterSeconds: 1 });
        }
        underWay.set(subject, count + 1);
        try {
          const upload = await take(context, results, reply, bytes);
          return await reply
            .code(201)
            .header('location', `/api/uploads/${upload.id}`)
            .send(describeUpload(upload, uploads.address));
        } finally {
          const others = (underWay.get(subject) ?? 1) - 1;
          if (others === 0) underWay.delete(subject);
          else underWay.set(subject, others);
        }
      } catch (error) {
        if (request.body instanceof Readable) linger(request);
        throw error;
      }
    },
  });

  app.route({
    method: 'GET',
    url: '/api/uploads/:id',
    onRequest: requireScope(context.authenticate, 'read'),
    schema: {
      operationId: 'getUpload',
      tags: ['uploads'],
      security: bearer,
      summary: 'What is known of an upload of the caller',
      params,
      response: { 200: uploadReplySchema, ...refusals(400, 404) },
    },
    handler: async (request) => describeUpload(await ownUpload(context, request, request.params.id), uploads.address),
  });

  app.route({
    method: 'DELETE',
    url: '/api/uploads/:id',
    onRequest: requireScope(context.authenticate, 'create'),
    schema: {
      operationId: 'deleteUpload',
      tags: ['uploads'],
      security: bearer,
      summary: 'Remove an upload of the caller; its address is dead from here on',
      params,
      response: { 204: z.null().describe('Removed'), ...refusals(400, 404, 409) },
    },
    handler: async (request, reply) => {
      const { id } = await ownUpload(context, request, request.params.id);
      if (!(await store.retireUpload(id, now()))) {
        throw ownProblem('upload_in_use', 'a task that has not ended uses it; delete it when the task has ended');
      }
      uploads.wake();
      return await reply.code(204).send(null);
    },
  });
}

/** What can be said before a byte of the file is read. */
function admit(
  { results, draining }: Context,
  { headers, body }: FastifyRequest,
): {
  readonly results: ResultStore;
  readonly bytes: number;
} {
  if (draining()) throw ownProblem('draining', 'send the request again', { retryAfterSeconds: 1 });
  if (results === undefined) {
    throw ownProblem(
      'uploads_unconfigured',
      'with PostgreSQL a bucket is needed: set RESULTS_S3_ENDPOINT and the rest',
    );
  }
  if (!(body instanceof Readable) || headers['content-length'] === '0') {
    throw ownProblem('invalid_request', 'the body is empty; send the file as the body');
  }
  if (headers['content-length'] === undefined) {
    throw ownProblem('length_required', 'send Content-Length; a stream of unknown length is not taken');
  }
  const bytes = Number(headers['content-length']);
  if (bytes > LARGEST_BYTES) throw tooLarge(LARGEST_BYTES, 'a file');
  return { results, bytes };
}

/** The row first, then the bytes, then the row is made complete; whatever happens between is swept away. */
async function take(context: Context, results: ResultStore, reply: FastifyReply, bytes: number): Promise<Upload> {
  const { store, uploads, now } = context;
  const { request } = reply;
  if (!(request.body instanceof Readable)) throw new Error('the body is no stream');
  const incoming = await whole(receive(request.body, bytes), request);
  const createdAt = now();
  const draft = {
    id: randomUUID(),
    subject: subjectOf(request),
    token: randomBytes(32).toString('base64url'),
    type: incoming.type,
    bytes,
    createdAt,
    expiresAt: createdAt + uploads.retentionMs,
  };
  const full = await store.reserveUpload(draft, uploads.bounds);
  if (full !== undefined) throw limited(full, context);
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  try {
    const file = { content: incoming.content, bytes, type: incoming.type };
    await whole(results.write(placeOf(draft.id), file, gone.signal), request);
    const { sha256, size } = incoming.received();
    const upload = await store.finishUpload({ id: draft.id, sha256, ...size });
    if (upload === undefined) throw ownProblem('invalid_request', 'the file took more than an hour to come');
    request.log.info({ upload: upload.id, type: upload.type, bytes }, 'upload stored');
    return upload;
  } catch (error) {
    await store
      .retireUpload(draft.id, now())
      .catch((problem: unknown) => request.log.warn({ upload: draft.id, err: problem }, 'upload left to the sweep'));
    throw error;
  } finally {
    uploads.wake();
  }
}

/** The words for what can break a transfer. */
async function whole<T>(transfer: Promise<T>, request: FastifyRequest): Promise<T> {
  try {
    return await transfer;
  } catch (error) {
    if (request.raw.destroyed && !request.raw.complete) {
      throw ownProblem('invalid_request', 'the connection broke before the file had come');
    }
    if (error instanceof ResultStoreError) {
      request.log.error({ err: error }, 'upload could not be stored');
      if (error instanceof ResultStoreFullError)
        throw ownProblem('storage_full', 'uploads are taken again when there is room');
      throw ownProblem('results_unavailable', 'send the file again', { retryAfterSeconds: 5 });
    }
    throw error;
  }
}

function limited({ bytes, files, roomAt }: UploadsFull, { uploads, now }: Context) {
  const most = `${Math.floor(uploads.bounds.bytes / MB)} MB in ${uploads.bounds.files} files`;
  return ownProblem(
    'uploads_limited',
    `the caller keeps ${Math.ceil(bytes / MB)} MB in ${files} files and may keep ${most}; delete one (DELETE /api/uploads/{id})`,
    { retryAfterSeconds: Math.max(1, Math.ceil((roomAt - now()) / 1000)) },
  );
}

/** An upload of another caller is told as if it did not exist. */
async function ownUpload({ store }: Context, request: FastifyRequest, id: string): Promise<Upload> {
  const upload = await store.findUpload({ id });
  if (upload?.subject === subjectOf(request)) return upload;
  throw ownProblem('upload_not_found', `there is no upload ${id}`);
}
