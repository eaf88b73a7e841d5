import type { FastifyInstance, FastifyRequest } from 'fastify';

type Route = FastifyRequest['routeOptions'];

const ROUTE = Symbol('route');
declare module 'fastify' {
  interface FastifyRequest {
    [ROUTE]: Route | undefined;
  }
}

/** To be called before routes are added. */
export function rememberRoutes(app: FastifyInstance): void {
  app.decorateRequest(ROUTE, undefined);
}

/** The route that a request is for. Fastify makes `routeOptions` anew each time that it is asked, which costs more than all hooks. */
export function routeOf(request: FastifyRequest): Route {
  request[ROUTE] ??= request.routeOptions;
  return request[ROUTE];
}
