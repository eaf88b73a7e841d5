import type { FastifyReply, FastifyRequest } from 'fastify';

/** Sends bytes, or the one range of them that was asked for: players jump in videos by it. Source: RFC 9110, 14. */
export function sendFile(request: FastifyRequest, reply: FastifyReply, type: string, bytes: Buffer): FastifyReply {
  void reply.type(type).header('accept-ranges', 'bytes').header('cache-control', 'no-store');
  const range = readRange(request.headers.range, bytes.length);
  if (range === undefined) return reply.send(bytes);
  if (range === 'outside') {
    return reply.code(416).header('content-range', `bytes */${bytes.length}`).send();
  }
  const [from, to] = range;
  return reply
    .code(206)
    .header('content-range', `bytes ${from}-${to}/${bytes.length}`)
    .send(bytes.subarray(from, to + 1));
}

/** First and last byte; undefined where all is to be sent: no range, several, or one that is not understood. */
export function readRange(
  header: string | undefined,
  length: number,
): readonly [number, number] | 'outside' | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  const from = first === '' ? Math.max(0, length - Number(last)) : Number(first);
  const to = first === '' || last === '' ? length - 1 : Math.min(Number(last), length - 1);
  if (first !== '' && last !== '' && Number(last) < from) return undefined;
  return from > to || (first === '' && Number(last) === 0) ? 'outside' : [from, to];
}
