import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer } from '../answer.ts';
import { fail } from '../answer.ts';
import { answeredCode } from './names.ts';
import type { Struck } from './script.ts';

const DELAY_MS = 5000;

/** What is answered instead, with nothing made: the answer, `sent` when it is on its way already, or undefined. */
export async function instead(struck: Struck | undefined, request: FastifyRequest, reply: FastifyReply) {
  if (struck === undefined) return undefined;
  const told = answeredCode(struck.fault);
  if (told !== undefined) return { ...fail(told.code), status: told.status };
  switch (struck.fault) {
    case 'html':
      void reply.code(502).type('text/html').send('<html><h1>Bad gateway</h1></html>');
      return 'sent';
    case 'timeout':
      reply.hijack();
      return 'sent';
    case 'reset':
      reply.hijack();
      request.raw.socket.destroy();
      return 'sent';
    case 'slow':
      await sleep(struck.delayMs ?? DELAY_MS, undefined, { ref: false });
      return undefined;
    default:
      return undefined;
  }
}

/** Sends the answer, or what the fault makes of it. */
export function send(struck: Struck | undefined, answer: Answer, request: FastifyRequest, reply: FastifyReply) {
  const { status, taskId: _, ...envelope } = answer;
  const body = { code: envelope.code, message: envelope.message, request_id: request.id, data: envelope.data };
  const text = JSON.stringify(body);
  const made = status === 200 && envelope.code === 0;
  void reply.code(status).type('application/json; charset=utf-8');
  switch (struck?.fault) {
    case 'truncated':
      return breakOff(reply, status, 'application/json', Buffer.from(text));
    case 'wrong-json':
      return reply.send(`${text.slice(0, -1)},}`);
    case 'wrong-shape':
      return reply.code(200).send({ result: 'ok' });
    case 'after-create-reset':
      if (!made) break;
      reply.hijack();
      request.raw.socket.destroy();
      return reply;
    case 'after-create-hang':
      if (made) return reply.hijack();
      break;
    case 'after-create-5000':
      if (made) return send(undefined, fail(5000), request, reply);
      break;
    default:
      break;
  }
  return reply.send(text);
}

/** Half of what its length promises, then the end of the connection. */
export function breakOff(reply: FastifyReply, status: number, type: string, body: Buffer): FastifyReply {
  reply.hijack();
  reply.raw.writeHead(status, { 'content-type': type, 'content-length': body.length });
  reply.raw.write(body.subarray(0, Math.floor(body.length / 2)), () => reply.raw.destroy());
  return reply;
}
