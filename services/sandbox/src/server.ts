import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { fail } from './answer.ts';
import type { SigningKey } from './authorization.ts';
import { type CallbackOptions, createCallbacks } from './callbacks.ts';
import { createClock } from './clock.ts';
import { type Told, toldOf } from './door.ts';
import { createScriptBook } from './faults/script.ts';
import { send } from './faults/send.ts';
import { createLibrary } from './library.ts';
import { createPacks } from './packs.ts';
import { createRate } from './rate.ts';
import { addAdminRoutes } from './routes/admin.ts';
import { addOperationRoutes } from './routes/operations.ts';
import { addRecordRoutes } from './routes/records.ts';
import { addResultRoutes } from './routes/results.ts';
import { addTaskRoutes, BODY_LIMIT } from './routes/tasks.ts';
import { createTaskBook, type TaskBookOptions } from './tasks/book.ts';
import type { World } from './world.ts';

export interface SandboxOptions extends Partial<Omit<TaskBookOptions, 'packs'>> {
  readonly host: string;
  readonly port: number;
  /** Sandbox seconds that pass in a real second (1). */
  readonly speed?: number | undefined;
  /** The webhook secret that callbacks are signed with (`whsec_…`). */
  readonly webhookSecret?: string | undefined;
  readonly callbackShape?: CallbackOptions['shape'];
  /** Signed tokens have to be signed by it; without it any token that is in its time is good. */
  readonly signing?: SigningKey | undefined;
  /** Calls of one account in a second, above it 1302. */
  readonly requestsPerSecond?: number | undefined;
  /** Where `/sandbox/…` is: with the rest, or only in `admin` of what is returned. */
  readonly adminOnTraffic?: boolean | undefined;
  /** Asked at every request of the API, which waits for the answer; what header, account and scripts ask for comes first. */
  readonly fault?: World['fault'];
  readonly onRequest?: (told: ToldRequest) => void;
}

export interface ToldRequest extends Told {
  readonly method: string;
  readonly route: string;
  /** As it came, without the query. */
  readonly path: string;
  /** Of HTTP; 0: the connection ended without one. */
  readonly status: number;
  readonly milliseconds: number;
}

export interface Sandbox {
  readonly port: number;
  readonly url: string;
  /** Answers `/sandbox/…`, for a server of its own. */
  readonly admin: (request: IncomingMessage, response: ServerResponse) => void;
  close(): Promise<void>;
}

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const clock = createClock({ ...(options.now === undefined ? {} : { now: options.now }), speed: options.speed ?? 1 });
  const packs = createPacks(clock.now);
  const book = createTaskBook({ ...options, taskSeconds: options.taskSeconds ?? 2, now: clock.now, packs });
  const callbacks = createCallbacks({ clock, secret: options.webhookSecret, shape: options.callbackShape });
  const { requestsPerSecond } = options;
  const world: World = {
    ...{ clock, packs, book, callbacks, scripts: createScriptBook(), library: createLibrary(book, clock.now) },
    ...{ signing: options.signing, fault: options.fault, costsRate: createRate(1) },
    rate: requestsPerSecond === undefined ? undefined : createRate(requestsPerSecond),
  };

  const app = Fastify({ bodyLimit: BODY_LIMIT, forceCloseConnections: true, exposeHeadRoutes: true });
  answerRefusals(app);
  tellRequests(app, options.onRequest);
  addTaskRoutes(app, world);
  addRecordRoutes(app, world);
  addOperationRoutes(app, world);
  addResultRoutes(app, world);
  if (options.adminOnTraffic !== false) addAdminRoutes(app, world);
  const admin = Fastify({ bodyLimit: 1024 * 1024 });
  answerRefusals(admin);
  addAdminRoutes(admin, world);
  await admin.ready();

  await app.listen({ port: options.port, host: options.host });
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the sandbox has no TCP port');
  return {
    port: address.port,
    url: urlOf(address),
    admin: (request, response) => admin.routing(request, response),
    close: async () => {
      callbacks.close();
      clock.reset();
      await app.close();
      await admin.close();
    },
  };
}

/** By which this machine reaches it, wherever it listens. */
function urlOf({ address, family, port }: AddressInfo): string {
  const isEverywhere = address === '0.0.0.0' || address === '::';
  const host = isEverywhere ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address;
  return `http://${host}:${port}`;
}

/** Fastify's own refusals (no JSON, too large) in the words of the vendor. */
function answerRefusals(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const status = z.object({ statusCode: z.int() }).safeParse(error).data?.statusCode ?? 500;
    return send(undefined, status < 500 ? fail(1200, 'Request body invalid') : fail(5000), request, reply);
  });
  app.setNotFoundHandler((request, reply) => send(undefined, fail(1202), request, reply));
}

/** Those too that were broken off or never answered, when their connection ends. */
function tellRequests(app: FastifyInstance, onRequest: SandboxOptions['onRequest']): void {
  const tell = (request: FastifyRequest, reply: FastifyReply) =>
    onRequest?.({
      ...toldOf(request),
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      path: request.url.split('?', 1)[0] ?? '/',
      status: reply.raw.headersSent ? reply.raw.statusCode : 0,
      milliseconds: reply.elapsedTime,
    });
  const answered = new WeakSet<FastifyRequest>();
  app.addHook('onResponse', async (request, reply) => {
    answered.add(request);
    tell(request, reply);
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => {
      if (!answered.has(request) && !reply.raw.writableFinished) tell(request, reply);
    });
  });
}
