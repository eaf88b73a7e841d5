import { corsHeaders, isAllowedHost, isUnclaimableHost, preflightHeaders } from '@klingapi/management';
import type { FastifyInstance } from 'fastify';
import { ownProblem } from './problem.ts';

export interface OriginRules {
  /** Whether callers have to show a key. Without it, whatever a browser can be made to send would be done. */
  readonly needsKey: boolean;
  /** Origins whose pages may read replies, besides our own. */
  readonly allowedOrigins: readonly string[];
  /** Host names that requests may come under without a key. */
  readonly allowedHosts: readonly string[];
}

const EXPOSED = ['Location', 'Retry-After', 'ETag', 'Accept-Ranges', 'Content-Range', 'Content-Length'];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const CHANGES_NOTHING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * What pages in a browser may do here. With keys a foreign page can do nothing,
 * as it has none: it only gets no right to read. Without keys (`AUTH=none`) two
 * things are refused: changes asked for by a page of another origin (a form on
 * any site could spend money), and requests under a name that its owner could
 * point at this machine (DNS rebinding: the browser then takes his page for ours).
 */
export function guardOrigins(app: FastifyInstance, publicUrl: string | undefined, rules: OriginRules): void {
  const own = publicUrl === undefined ? undefined : new URL(publicUrl);
  const hosts = [...rules.allowedHosts, ...(own === undefined ? [] : [own.hostname])];
  const listed = new Set(rules.allowedOrigins);

  app.addHook('onRequest', (request, reply, done) => {
    const { host, origin } = request.headers;
    if (!rules.needsKey && !isUnclaimableHost(host) && !isAllowedHost(host, hosts)) {
      return done(ownProblem('host_refused', 'this Host is not known here; name it in ALLOWED_HOSTS or PUBLIC_URL'));
    }
    if (origin === undefined || origin === own?.origin || URL.parse(origin)?.host === host?.toLowerCase()) {
      return done();
    }
    const isPreflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
    if (listed.has(origin)) {
      // On the raw response, because event streams are written past Fastify.
      for (const [name, value] of Object.entries(corsHeaders(origin, EXPOSED))) reply.raw.setHeader(name, value);
      if (!isPreflight) return done();
      const asked = request.headers['access-control-request-headers'];
      void reply.code(204).headers(preflightHeaders(asked, METHODS)).send();
      return;
    }
    reply.raw.setHeader('vary', 'Origin');
    if (isPreflight || (!rules.needsKey && !CHANGES_NOTHING.has(request.method))) {
      return done(ownProblem('origin_refused', 'pages of this Origin may not call; name it in ALLOWED_ORIGINS'));
    }
    done();
  });
}
