import type { FastifyReply } from 'fastify';
import { ownProblem } from '../problem.ts';
import type { Kept } from '../tasks/task.ts';
import { TIMEOUT_MS } from './download.ts';
import { matches, rangeOf } from './range.ts';
import { type ResultKey, type ResultStore, ResultStoreError } from './result-store.ts';

/**
 * How long a file may be sent: until the client is gone, or has had time enough
 * for the largest. Ends the connection too, which would stay open where only the
 * last bytes are not taken.
 */
export function sendingTime(reply: FastifyReply, milliseconds = TIMEOUT_MS): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(milliseconds)]);
  const end = () => {
    if (reply.raw.headersSent) reply.raw.destroy();
  };
  signal.addEventListener('abort', end, { once: true });
  return signal;
}

/**
 * Answers with a file of the store, or the range of it that was asked for.
 *
 * @returns false when it is gone after all
 */
export async function sendKept(
  results: ResultStore | undefined,
  reply: FastifyReply,
  key: ResultKey,
  kept: Kept,
  signal: AbortSignal,
): Promise<boolean> {
  const { method, headers } = reply.request;
  void reply.header('etag', kept.etag).header('accept-ranges', 'bytes');
  if (matches(headers['if-none-match'], kept.etag)) {
    await reply.code(304).send();
    return true;
  }
  const isFresh = headers['if-range'] === undefined || headers['if-range'] === kept.etag;
  const range = method === 'GET' && isFresh ? rangeOf(headers.range, kept.bytes) : 'all';
  if (range === 'unsatisfiable') {
    void reply.header('content-range', `bytes */${kept.bytes}`);
    throw ownProblem('range_not_satisfiable', `there are ${kept.bytes} bytes`);
  }
  const part = range === 'all' ? undefined : range;
  void reply.type(kept.type).header('content-length', part === undefined ? kept.bytes : part.last - part.first + 1);
  if (method === 'HEAD') {
    await reply.send();
    return true;
  }
  const bytes = await results?.get(key, part, signal).catch((error: unknown) => {
    reply.request.log.error({ key: key.taskId, err: error }, 'kept file could not be read');
    if (error instanceof ResultStoreError)
      throw ownProblem('results_unavailable', 'try again', { retryAfterSeconds: 5 });
    throw error;
  });
  if (bytes === undefined) {
    for (const name of ['etag', 'accept-ranges', 'content-length']) void reply.removeHeader(name);
    return false;
  }
  if (part !== undefined)
    void reply.code(206).header('content-range', `bytes ${part.first}-${part.last}/${kept.bytes}`);
  await reply.send(bytes);
  return true;
}
