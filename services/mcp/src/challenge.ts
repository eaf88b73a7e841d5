import type { IdentityError } from '@klingapi/identity';
import type { FastifyReply } from 'fastify';
import type { NeededScope } from './admission.ts';
import { IssuerUnavailable } from './oauth/issuer-keys.ts';
import type { ProtectedResource } from './oauth/protected-resource.ts';
import { refuse } from './refuse.ts';

/** Answers a caller who is not known: 401 with the way to get credentials, or 503 when that is nobody's fault here. */
export function challenge(reply: FastifyReply, error: IdentityError, resource: ProtectedResource | null): FastifyReply {
  if (error.code === 'issuer_unavailable') {
    const seconds = error.cause instanceof IssuerUnavailable ? error.cause.retryAfterSeconds : 10;
    return refuse(reply.header('retry-after', String(seconds)), 503, -32603, `Try again later: ${error.message}`);
  }
  const header = resource === null ? 'Bearer' : resource.unauthenticated(error);
  return refuse(reply.header('www-authenticate', header), 401, -32600, error.message);
}

/** Answers a caller who is known but may not do this. */
export function forbid(reply: FastifyReply, needed: NeededScope, resource: ProtectedResource | null): FastifyReply {
  if (resource !== null) reply.header('www-authenticate', resource.insufficient(needed));
  return refuse(reply, 403, -32600, WORDS[needed]);
}

const WORDS: Readonly<Record<NeededScope, string>> = {
  handshake: 'This caller may do nothing here',
  read: 'This caller may only initialize, discover and list',
  create: 'This caller may read, but not start what costs money',
};
