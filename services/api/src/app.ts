import { randomBytes } from 'node:crypto';
import { createRequestMetrics, type Logger } from '@klingapi/management';
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import packageJson from '../package.json' with { type: 'json' };
import { addReplyHeaders, rememberCallers } from './access.ts';
import { addCallbackRoute, type CallbackOptions } from './callbacks/callback-route.ts';
import { addCatalogueRoutes } from './catalogue/catalogue-routes.ts';
import { addOperationRoutes } from './catalogue/operation-routes.ts';
import { addUsageRoutes } from './catalogue/usage-routes.ts';
import { addCompatibleRoutes } from './compatible/compatible-routes.ts';
import type { App, Context } from './context.ts';
import { addDocs } from './docs.ts';
import { answerBrokenRequest, replyToError, replyWithProblems } from './error-reply.ts';
import { acceptJsonBodies } from './json-body.ts';
import { addShedding } from './load/shedding.ts';
import { addSecretRoute } from './notifications/secret-route.ts';
import { addOpenApi } from './openapi.ts';
import { guardOrigins } from './origins.ts';
import { addPage } from './page/page-route.ts';
import { addResultRoute } from './results/result-route.ts';
import { rememberRoutes, routeOf } from './route.ts';
import { addCreateRoutes } from './tasks/create-routes.ts';
import { addEventRoute } from './tasks/event-route.ts';
import { addListRoute } from './tasks/list-route.ts';
import { addTaskRoutes } from './tasks/task-routes.ts';
import { refuseUnknownRoutes } from './unknown-routes.ts';
import { addPublicUploadRoute } from './uploads/public-route.ts';
import { addUploadRoutes } from './uploads/upload-routes.ts';

/** Two pictures of 10 MB in Base64 and the rest. */
const BODY_LIMIT = 32 * 1024 * 1024;

/** Every route, with what is common to them: limits, errors, headers, metrics, OpenAPI. */
export async function buildApp(
  context: Context,
  logger: Logger,
  registry: Registry,
  callbacks: CallbackOptions | undefined,
): Promise<App> {
  const loggerInstance: FastifyBaseLogger = logger;
  const app = Fastify({
    loggerInstance,
    // Lines name the request themselves; a logger for each request costs more than most requests.
    childLoggerFactory: (parent) => parent,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: 'idle',
    // Reads are answered to the end, and creates refused in words.
    return503OnClosing: false,
    // For the largest upload over a line of 3 Mbit/s; headers have their own, shorter time.
    requestTimeout: 600_000,
    // As long as a URL can be; the schemas of the routes say how long a parameter may be.
    routerOptions: { maxParamLength: 16_384 },
    frameworkErrors: replyToError,
    clientErrorHandler: answerBrokenRequest,
    genReqId: requestIds(),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  acceptJsonBodies(app);
  replyWithProblems(app);
  rememberCallers(app);
  rememberRoutes(app);
  addReplyHeaders(app, context.draining);

  const count = createRequestMetrics(registry);
  // Before paths are judged: a preflight asks about a path by a method that no route has.
  guardOrigins(app, context.publicUrl, context.origins);
  refuseUnknownRoutes(app);
  addShedding(app, context.load, context.metrics.onShed);
  app.addHook('onResponse', (request, reply, done) => {
    const told = {
      method: request.method,
      route: routeOf(request).url ?? 'unknown',
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime),
    };
    count(told);
    if (logger.isLevelEnabled('debug')) request.log.debug({ ...told, request: request.id }, 'request answered');
    // Its headers may have left before the draining began: the client would hold the connection, and the end of this process.
    if (context.draining()) request.raw.socket.destroySoon();
    done();
  });

  await addOpenApi(app, packageJson.version, context.guarded);
  if (callbacks !== undefined) await app.register((scoped) => addCallbackRoute(scoped, context, callbacks));
  // Inside a plugin, so that swagger's hook sees the routes.
  await app.register(async (scoped) => {
    const routes: App = scoped.withTypeProvider<ZodTypeProvider>();
    addCreateRoutes(routes, context);
    addListRoute(routes, context);
    addTaskRoutes(routes, context);
    addCatalogueRoutes(routes, context);
    addUsageRoutes(routes, context);
    addOperationRoutes(routes, context);
    addSecretRoute(routes, context);
    addEventRoute(routes, context);
    addResultRoute(routes, context);
    addPublicUploadRoute(routes, context);
    routes.route({
      method: 'GET',
      url: '/api/health',
      config: { load: 'vital' },
      schema: {
        operationId: 'getHealth',
        tags: ['health'],
        security: [],
        summary: 'Whether this service is up; needs no key',
        response: { 200: z.object({ status: z.literal('ok'), version: z.string() }) },
      },
      handler: () => Promise.resolve({ status: 'ok' as const, version: packageJson.version }),
    });
    addDocs(routes);
    addPage(routes);
  });
  // Apart, because it takes any body, as a stream.
  await app.register(async (scoped) => addUploadRoutes(scoped.withTypeProvider<ZodTypeProvider>(), context));
  // Apart, because its errors are in the words of Kling.
  await app.register(async (scoped) => addCompatibleRoutes(scoped.withTypeProvider<ZodTypeProvider>(), context));
  return app;
}

/** Unlike those of any other process, and a count. */
function requestIds(): () => string {
  const process = randomBytes(9).toString('base64url');
  let count = 0;
  return () => {
    count += 1;
    return `${process}-${count.toString(36)}`;
  };
}
