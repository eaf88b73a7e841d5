import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import swagger from '@fastify/swagger';
import { type Authenticator, type AuthenticatorOptions, createAuthenticator } from '@klingapi/identity';
import { createKlingClient, type KlingClientOptions } from '@klingapi/kling';
import { createRequestMetrics, type DrainStep, type Logger } from '@klingapi/management';
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import packageJson from '../package.json' with { type: 'json' };
import { addReplyHeaders } from './access.ts';
import { createChanges } from './changes.ts';
import type { App, Context } from './context.ts';
import { addCreateRoutes } from './create-routes.ts';
import { lockDataDir } from './data-lock.ts';
import { addDocs } from './docs.ts';
import { replyWithProblems } from './error-reply.ts';
import { registerMetrics } from './metrics.ts';
import { startPoller } from './poller.ts';
import { addResultRoute } from './result-route.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { createSubmissions } from './submissions.ts';
import { addTaskRoutes } from './task-routes.ts';

export interface ApiOptions {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly upstream: Pick<KlingClientOptions, 'baseUrl' | 'credentials' | 'timeoutMs' | 'sleep'>;
  readonly authentication: Pick<AuthenticatorOptions, 'auth' | 'callersDir' | 'internalKey' | 'intervalMs'>;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly now?: () => number;
  /** Milliseconds until a task of unknown outcome is looked up again. */
  readonly retryMs?: number;
}

export interface Api {
  readonly port: number;
  readonly url: string;
  /** Throws when the storage cannot be reached. */
  ping(): void;
  readonly draining: () => boolean;
  /** To be run in order; the last ones release the storage. */
  readonly drainSteps: readonly DrainStep[];
  close(): Promise<void>;
}

/** Two pictures of 10 MB in Base64 and the rest. */
const BODY_LIMIT = 32 * 1024 * 1024;

/** @throws DataLockedError when another process works on the folder */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { logger, registry } = options;
  const now = options.now ?? Date.now;
  mkdirSync(options.dataDir, { recursive: true });
  const unlock = lockDataDir(options.dataDir);
  const store = openSqliteStore(join(options.dataDir, 'tasks.db'));
  const metrics = registerMetrics(registry);
  metrics.watchStore(store);

  const upstream = { ...options.upstream, onExchange: metrics.onExchange };
  const changes = createChanges();
  const poller = startPoller({ store, client: createKlingClient({ ...upstream, attempts: 1 }), changes, logger, now });
  const submissions = createSubmissions({
    store,
    client: createKlingClient(upstream),
    changes,
    logger,
    now,
    onSubmitted: poller.wake,
    ...(options.retryMs === undefined ? {} : { retryMs: options.retryMs }),
  });
  const authenticate: Authenticator = createAuthenticator({
    ...options.authentication,
    audience: 'api',
    onError: (problem) => logger.warn({ problem }, 'callers not loaded'),
  });

  let draining = false;
  const context: Context = { store, submissions, changes, authenticate, now, fetch, draining: () => draining };
  const app = await buildApp(context, logger, registry);
  await app.listen({ port: options.port, host: options.host });
  submissions.recover();

  const drainSteps: DrainStep[] = [
    {
      name: 'requests',
      run: async () => {
        draining = true;
        changes.release();
        await app.close();
      },
    },
    {
      name: 'upstream calls',
      run: async () => {
        await Promise.all([submissions.drain(), poller.stop()]);
      },
    },
    {
      name: 'storage',
      run: () => {
        authenticate.close();
        store.close();
        unlock();
      },
    },
  ];
  const address = z.object({ port: z.number() }).parse(app.server.address());
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    ping: () => store.ping(),
    draining: () => draining,
    drainSteps,
    close: async () => {
      for (const step of drainSteps) await step.run();
    },
  };
}

async function buildApp(context: Context, logger: Logger, registry: Registry): Promise<App> {
  const loggerInstance: FastifyBaseLogger = logger;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: 'idle',
    requestTimeout: 120_000,
    genReqId: () => crypto.randomUUID(),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  replyWithProblems(app);
  addReplyHeaders(app, context.draining);

  const count = createRequestMetrics(registry);
  app.addHook('onResponse', async (request, reply) => {
    const told = {
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime),
    };
    count(told);
    request.log.debug({ ...told, request: request.id }, 'request answered');
  });

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Kling API service', version: packageJson.version },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    },
    transform: jsonSchemaTransform,
  });
  // Inside a plugin, so that swagger's hook sees the routes.
  await app.register(async (scoped) => {
    const routes: App = scoped.withTypeProvider<ZodTypeProvider>();
    addCreateRoutes(routes, context);
    addTaskRoutes(routes, context);
    addResultRoute(routes, context);
    routes.route({
      method: 'GET',
      url: '/api/health',
      schema: {
        tags: ['health'],
        summary: 'Whether this service is up; needs no key',
        response: { 200: z.object({ status: z.literal('ok'), version: z.string() }) },
      },
      handler: () => Promise.resolve({ status: 'ok' as const, version: packageJson.version }),
    });
    addDocs(routes);
  });
  return app;
}
