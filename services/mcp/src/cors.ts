import { corsHeaders, preflightHeaders } from '@klingapi/management';
import type { FastifyReply, FastifyRequest } from 'fastify';

export function allowPage(request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  if (origin === undefined) return;
  const headers = corsHeaders(origin, ['WWW-Authenticate', 'Retry-After', 'Mcp-Session-Id']);
  // On the raw response, because the SDK writes its replies past Fastify.
  for (const [name, value] of Object.entries(headers)) reply.raw.setHeader(name, value);
}

export function answerPreflight(
  request: FastifyRequest,
  reply: FastifyReply,
  methods: readonly string[],
): FastifyReply {
  const asked = request.headers['access-control-request-headers'];
  return reply.code(204).headers(preflightHeaders(asked, methods)).send();
}
