import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
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
import type { App, Context } from './context.ts';
import { addDocs } from './docs.ts';
import { createEgress } from './egress/egress.ts';
import { replyWithProblems } from './error-reply.ts';
import { registerMetrics } from './metrics.ts';
import { startMirror } from './results/mirror.ts';
import { addResultRoute } from './results/result-route.ts';
import type { ResultStore } from './results/result-store.ts';
import { openStore, type StorageOptions } from './storage/open.ts';
import { createChanges } from './tasks/changes.ts';
import { addCreateRoutes } from './tasks/create-routes.ts';
import { startDispatcher } from './tasks/dispatcher.ts';
import { addEventRoute } from './tasks/event-route.ts';
import { takeLease } from './tasks/lease.ts';
import { startPoller } from './tasks/poller.ts';
import { createProgress } from './tasks/progress.ts';
import { createSubmissions } from './tasks/submissions.ts';
import { addTaskRoutes } from './tasks/task-routes.ts';

export interface ApiOptions {
  readonly host: string;
  readonly port: number;
  readonly storage: StorageOptions;
  readonly upstream: Pick<KlingClientOptions, 'baseUrl' | 'credentials' | 'timeoutMs' | 'sleep'>;
  readonly authentication: Pick<AuthenticatorOptions, 'auth' | 'callersDir' | 'internalKey' | 'intervalMs'>;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly now?: () => number;
  /** Milliseconds until a task of unknown outcome is looked up again. */
  readonly retryMs?: number;
  /** Parallel tasks of one model and kind of result; undefined: as many as Kling takes. */
  readonly concurrency?: number | undefined;
  /** Milliseconds without a sign of life after which other replicas take this one for dead. */
  readonly leaseMs?: number;
  /** The address that the outside knows this service by. */
  readonly publicUrl?: string | undefined;
  /** Where copies of results are kept; without it they are gone when Kling deletes them. */
  readonly results?: ResultStore | undefined;
  /** How long copies are kept. */
  readonly resultsRetentionMs?: number;
}

export interface Api {
  readonly port: number;
  readonly url: string;
  /** Rejects when the storage cannot be reached. */
  ping(): Promise<void>;
  readonly draining: () => boolean;
  /** To be run in order; the last ones release the storage. */
  readonly drainSteps: readonly DrainStep[];
  close(): Promise<void>;
}

/** Two pictures of 10 MB in Base64 and the rest. */
const BODY_LIMIT = 32 * 1024 * 1024;
const LEASE_MS = 30_000;
const RETENTION_MS = 365 * 24 * 3_600_000;

/** @throws DataLockedError when another process works on the folder */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { logger, registry } = options;
  const now = options.now ?? Date.now;
  const store = await openStore(options.storage, {
    concurrency: options.concurrency,
    now,
    onError: (problem) => logger.warn({ problem }, 'connection to the database broke'),
  });
  const metrics = registerMetrics(registry);
  metrics.watchStore(store);

  const lease = await takeLease({
    store,
    replica: `${hostname()}/${process.pid}/${randomUUID()}`,
    leaseMs: options.leaseMs ?? LEASE_MS,
    logger,
  });
  const upstream = { ...options.upstream, onExchange: metrics.onExchange, now };
  const changes = createChanges({ store });
  const { results } = options;
  const progress = createProgress({ now, isTold: false, keepsResults: results !== undefined });
  // The sandbox, and relays of one's own, give results from where they are themselves.
  const egress = createEgress({ trusted: [options.upstream.baseUrl] });
  const mirror =
    results === undefined
      ? undefined
      : startMirror({
          store,
          results,
          egress,
          logger,
          now,
          retentionMs: options.resultsRetentionMs ?? RETENTION_MS,
          ...(options.retryMs === undefined ? {} : { retryMs: options.retryMs }),
        });
  if (mirror !== undefined) {
    // Which tasks have ended only the store knows.
    store.onChange(() => mirror.wake());
  }
  const poller = startPoller({
    store,
    client: createKlingClient({ ...upstream, attempts: 1 }),
    progress,
    logger,
    now,
  });
  const submissions = createSubmissions({
    store,
    client: createKlingClient(upstream),
    lease,
    progress,
    logger,
    now,
    onSubmitted: poller.wake,
    onWaiting: () => dispatcher.wake(),
    ...(options.retryMs === undefined ? {} : { retryMs: options.retryMs }),
  });
  const dispatcher = startDispatcher({ store, lease, submissions, logger, now });
  const authenticate: Authenticator = createAuthenticator({
    ...options.authentication,
    audience: 'api',
    onError: (problem) => logger.warn({ problem }, 'callers not loaded'),
  });

  let draining = false;
  const context: Context = {
    store,
    replica: lease.replica,
    submissions,
    dispatcher,
    changes,
    authenticate,
    now,
    egress,
    results,
    draining: () => draining,
    publicUrl: options.publicUrl?.replace(/\/+$/, ''),
  };
  const app = await buildApp(context, logger, registry);
  await app.listen({ port: options.port, host: options.host });

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
        await Promise.all([dispatcher.stop(), poller.stop(), mirror?.stop()]);
        await submissions.drain();
      },
    },
    {
      name: 'storage',
      run: async () => {
        authenticate.close();
        await lease.end();
        await store.close();
        await Promise.all([egress.close(), results?.close()]);
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
    addEventRoute(routes, context);
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
