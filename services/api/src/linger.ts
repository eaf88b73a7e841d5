import type { FastifyRequest } from 'fastify';

const LINGER_MS = 5000;

/**
 * Reads the rest of a refused body for a while and throws it away: a socket that
 * is closed while its other end still sends is reset, and the reply with it is lost.
 */
export function linger({ raw }: Pick<FastifyRequest, 'raw'>): void {
  if (raw.complete || raw.destroyed) return;
  // Who began to read it may still hold it; then it would not flow.
  raw
    .removeAllListeners('readable')
    .on('error', () => {})
    .resume();
  const timer = setTimeout(() => raw.destroy(), LINGER_MS);
  raw.once('close', () => clearTimeout(timer));
}
