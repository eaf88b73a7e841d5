import type { FastifyReply } from 'fastify';

/** A refusal as JSON-RPC error, because that is what the client on the other side can show. */
export function refuse(reply: FastifyReply, status: number, code: number, message: string): FastifyReply {
  return reply.code(status).send({ jsonrpc: '2.0', id: null, error: { code, message } });
}
