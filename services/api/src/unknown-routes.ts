import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ownProblem } from './problem.ts';

/**
 * What no route answers: 404 where the path is unknown, 405 with `Allow` where it
 * takes other methods. Refused before a body is read, which nobody would look at.
 */
export function refuseUnknownRoutes(app: FastifyInstance): void {
  const known = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    const path = known.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    known.set(url, path);
    for (const each of [method].flat()) path.methods.add(each);
  });
  app.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return;
    const path = pathOf(request);
    // The route with the fewest parameters is the one that is meant.
    const [meant] = [...known]
      .filter(([, { pattern }]) => pattern.test(path))
      .sort(([a], [b]) => a.split('/:').length - b.split('/:').length);
    const allowed = [...(meant?.[1].methods ?? [])].sort().join(', ');
    if (allowed === '') throw ownProblem('not_found', `there is no ${request.method} on this path`);
    void reply.header('allow', allowed);
    throw ownProblem('method_not_allowed', `this path takes ${allowed}`);
  });
}

export function pathOf(request: Pick<FastifyRequest, 'url'>): string {
  return request.url.replace(/[?#;].*$/s, '');
}

/** Paths here have fixed parts and whole-segment parameters alone. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.*' : part.replace(/[^\w-]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}
