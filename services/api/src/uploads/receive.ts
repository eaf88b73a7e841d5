import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { ownProblem } from '../problem.ts';
import { HEAD_BYTES, LIMIT_BYTES, type MediaType, mediaTypeOf, mediumOf } from './media-type.ts';
import { createSizeReader, type PictureSize, sizeProblem } from './picture-size.ts';

/** What is known of a file once all of it has passed. */
export interface Received {
  readonly sha256: string;
  readonly size: PictureSize | undefined;
}

export interface Incoming {
  readonly type: MediaType;
  /** The bytes, once; ends with an error, before the last of them, for a picture that Kling would refuse. */
  readonly content: AsyncGenerator<Buffer>;
  /** Only after the end of the content. */
  received(): Received;
}

const MB = 1024 * 1024;

/**
 * Judges a file while it comes in. The stream is not destroyed when it is
 * refused, so that the refusal can still be sent on the same connection.
 *
 * @param announced how many bytes are to come
 * @throws ProblemError for what Kling would not take
 */
export async function receive(body: Readable, announced: number): Promise<Incoming> {
  const chunks = body.iterator({ destroyOnReturn: false });
  let head = Buffer.alloc(0);
  while (head.length < HEAD_BYTES) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    head = Buffer.concat([head, asBuffer(value)]);
  }
  const type = mediaTypeOf(head);
  if (type === undefined) {
    const isForm = head.subarray(0, 2).toString() === '--';
    const detail = isForm
      ? 'this is a form; send the file itself as the body (curl -T file)'
      : 'the content is none of PNG, JPEG, WebP, MP4, MOV, MP3, WAV, M4A and AAC';
    throw ownProblem('upload_type_unknown', detail);
  }
  const limit = LIMIT_BYTES[mediumOf(type)];
  if (announced > limit) throw tooLarge(limit, `a ${mediumOf(type)}`);

  const hash = createHash('sha256');
  const reader = createSizeReader(type);
  let left = announced;
  const pass = (chunk: Buffer): Buffer => {
    left -= chunk.length;
    hash.update(chunk);
    reader?.push(chunk);
    if (reader !== undefined && (reader.done || left <= 0)) {
      const problem = sizeProblem(reader.size);
      if (problem !== undefined) {
        const errors = [{ field: 'body', ...problem }];
        throw ownProblem('invalid_request', `the picture ${problem.problem}`, { errors });
      }
    }
    return chunk;
  };
  const content = async function* (): AsyncGenerator<Buffer> {
    yield pass(head);
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      yield pass(asBuffer(next.value));
    }
  };
  return { type, content: content(), received: () => ({ sha256: hash.digest('hex'), size: reader?.size }) };
}

export function tooLarge(limit: number, what: string) {
  return ownProblem('upload_too_large', `${what} may have ${limit / MB} MB at most`);
}

function asBuffer(chunk: unknown): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  throw new TypeError('the body is no stream of bytes');
}
