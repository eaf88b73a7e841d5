import type { Identity } from '@klingapi/identity';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; null until the request was authenticated. */
    identity: Identity | null;
  }
}
