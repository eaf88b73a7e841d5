import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Lets pages of an allowed origin read what they get: a browser sends the request
 * either way, and keeps the reply from a page that is not named here.
 */
export function allowPage(request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  if (origin === undefined) return;
  // On the raw response, because the SDK writes its replies past Fastify.
  reply.raw.setHeader('access-control-allow-origin', origin);
  reply.raw.setHeader('vary', 'Origin');
  reply.raw.setHeader('access-control-expose-headers', 'WWW-Authenticate, Retry-After, Mcp-Session-Id');
}

/** Answers what a browser asks before it sends a request of a page (it carries no credentials). */
export function answerPreflight(request: FastifyRequest, reply: FastifyReply, methods: string): FastifyReply {
  const asked = request.headers['access-control-request-headers'];
  return reply
    .code(204)
    .header('access-control-allow-methods', methods)
    .header('access-control-allow-headers', asked ?? 'authorization, content-type')
    .header('access-control-max-age', '600')
    .send();
}
