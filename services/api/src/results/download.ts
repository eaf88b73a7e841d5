import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Egress, EgressReply } from '../egress/egress.ts';
import type { StoredFile } from './result-store.ts';

/** Larger than any video that Kling makes today: 4K, 15 seconds, and several times that. */
export const LIMIT_BYTES = 512 * 1024 * 1024;
export const TIMEOUT_MS = 300_000;
/** Anything else could be a page that runs in the browser under our origin. */
const PASSED_TYPES = /^(image\/(png|jpeg|webp|gif)|video\/(mp4|quicktime|webm)|audio\/(mpeg|wav|mp4|aac))$/;

/** The result could not be had from where Kling keeps it. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError';
}

/** @throws DownloadError when there is no answer, or none with bytes */
export async function openResult(egress: Egress, url: string, signal: AbortSignal): Promise<EgressReply> {
  let reply: EgressReply;
  try {
    reply = await egress.get(url, signal);
  } catch (cause) {
    throw new DownloadError('the storage of Kling cannot be reached', { cause });
  }
  const problem =
    reply.status !== 200
      ? `the storage of Kling answered HTTP ${reply.status}; results are kept for 30 days`
      : Number(reply.headers['content-length'] ?? 0) > LIMIT_BYTES
        ? `the result is larger than ${LIMIT_BYTES / 1024 / 1024} MB`
        : undefined;
  if (problem === undefined) return reply;
  reply.body.on('error', () => {}).destroy();
  throw new DownloadError(problem);
}

/** The type to tell browsers. */
export function typeOf(reply: EgressReply): string {
  const type = (reply.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return PASSED_TYPES.test(type) ? type : 'application/octet-stream';
}

/** Breaks the stream, and with it the reply, when more comes than was allowed. */
export async function* bounded(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > LIMIT_BYTES) throw new DownloadError(`the result is larger than ${LIMIT_BYTES / 1024 / 1024} MB`);
    yield chunk;
  }
}

/** The whole result in a file. @throws DownloadError also when fewer bytes came than were announced */
export async function download(egress: Egress, url: string, path: string, signal: AbortSignal): Promise<StoredFile> {
  const reply = await openResult(egress, url, signal);
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(
    bounded(reply.body),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path),
    { signal },
  );
  const announced = reply.headers['content-length'];
  if (announced !== undefined && reply.headers['content-encoding'] === undefined && Number(announced) !== bytes) {
    throw new DownloadError('the storage of Kling sent less than it announced');
  }
  return { path, bytes, sha256: hash.digest('hex'), type: typeOf(reply) };
}
