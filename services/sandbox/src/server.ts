import { createHash } from 'node:crypto';
import {
  ENDPOINTS,
  KINDS,
  type Kind,
  type KlingRequest,
  OPERATIONS,
  type Operation,
  type OperationName,
  REQUESTS,
  webhookKey,
} from '@klingapi/kling';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ANSWERS } from './answers.ts';
import { type CallbackOptions, type Callbacks, createCallbacks } from './callbacks.ts';
import { CLIP } from './clip.ts';
import { FAULT_REPLIES, type Fault, faultSchema } from './faults.ts';
import { drawPicture } from './picture.ts';
import {
  createTaskBook,
  describeRecord,
  describeTask,
  type NewTask,
  type TaskBook,
  type TaskBookOptions,
} from './tasks.ts';
import { TONE } from './tone.ts';

export interface SandboxOptions extends Partial<TaskBookOptions> {
  readonly host: string;
  readonly port: number;
  /** The webhook secret that callbacks are signed with (`whsec_…`). */
  readonly webhookSecret?: string | undefined;
  readonly callbackShape?: CallbackOptions['shape'];
  /** Asked at every request of the API, which waits for the answer; what the header asks for comes first. */
  readonly fault?: (method: string, path: string) => Fault | undefined | Promise<Fault | undefined>;
  readonly onRequest?: (told: { method: string; route: string; status: number; milliseconds: number }) => void;
}

export interface Sandbox {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** Base64 of a 10 MB picture twice (try-on), and the rest of the body. */
const BODY_LIMIT = 30 * 1024 * 1024;
const BAD_KEY = 'bad-key';

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const now = options.now ?? Date.now;
  const book = createTaskBook({ ...options, taskSeconds: options.taskSeconds ?? 2, now });
  const callbacks = createCallbacks({
    key: options.webhookSecret === undefined ? undefined : webhookKey(options.webhookSecret),
    shape: options.callbackShape,
    now,
  });
  const app = Fastify({ bodyLimit: BODY_LIMIT, forceCloseConnections: true, exposeHeadRoutes: true });

  app.setErrorHandler((error, request, reply) => {
    // Fastify's own refusals (no JSON, too large) in the words of the vendor.
    const status = z.object({ statusCode: z.int() }).safeParse(error).data?.statusCode ?? 500;
    const code = status < 500 ? 1200 : 5000;
    return fail(
      request,
      reply,
      status < 500 ? 400 : 500,
      code,
      status < 500 ? 'Request body invalid' : 'Internal error',
    );
  });
  app.setNotFoundHandler((request, reply) => fail(request, reply, 404, 1202, 'Method not found'));
  app.addHook('onResponse', async (request, reply) => {
    options.onRequest?.({
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      milliseconds: reply.elapsedTime,
    });
  });

  for (const kind of KINDS) addKind(app, kind, book, now, callbacks, options.fault);
  addTasks(app, '/tasks', book, now, options.fault);
  addTasks(app, '/solutions', book, now, options.fault);
  addOperations(app, now, options.fault);
  app.get('/results/tone.wav', (_request, reply) => reply.type('audio/wav').send(TONE));
  app.get('/results/clip.mp4', (_request, reply) => reply.type('video/mp4').send(CLIP));
  app.get('/results/face.png', (_request, reply) => reply.type('image/png').send(drawPicture('face', '1:1', 0)));
  app.get('/results/:id/:file', (request, reply) => sendResult(request, reply, book, now));
  app.get('/sandbox/charges', () => book.charges());

  await app.listen({ port: options.port, host: options.host });
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the sandbox has no TCP port');
  const close = async (): Promise<void> => {
    callbacks.close();
    await app.close();
  };
  return { port: address.port, url: `http://127.0.0.1:${address.port}`, close };
}

function addKind(
  app: FastifyInstance,
  kind: Kind,
  book: TaskBook,
  now: () => number,
  callbacks: Callbacks,
  fault: SandboxOptions['fault'],
): void {
  const { path, family } = ENDPOINTS[kind];
  const isLegacy = family === 'legacy';
  const faultOf = (request: FastifyRequest, account: string) =>
    faultSchema.safeParse(request.headers['x-sandbox-fault']).data ??
    faultSchema.safeParse(/^fault-(.+)$/.exec(account)?.[1]).data ??
    fault?.(request.method, path);

  app.post(family === 'new' ? `${path}/:model` : path, async (request, reply) => {
    const account = authorize(request, reply, !isLegacy);
    if (account === undefined) return reply;
    const asked = await faultOf(request, account);
    if (asked !== undefined && answerFault(asked, request, reply)) return reply;
    const { model } = z.object({ model: z.string().optional() }).parse(request.params);
    const body = z
      .looseObject({})
      .transform((given) => (model === undefined ? given : { ...given, model_name: model }))
      .pipe(REQUESTS[kind])
      .safeParse(request.body);
    const labels = (isLegacy ? labelsSchema : z.object({ options: labelsSchema.prefault({}) })).safeParse(request.body);
    if (!body.success || !labels.success) {
      const [issue] = body.error?.issues ?? labels.error?.issues ?? [];
      return fail(request, reply, 400, 1201, `${issue?.path.join('.') ?? ''} is invalid: ${issue?.message ?? ''}`);
    }
    const { external_task_id: externalId, callback_url: callbackUrl } =
      'options' in labels.data ? labels.data.options : labels.data;
    const task = book.add({ ...newTask(kind, body.data), account, externalId, callbackUrl });
    if (task === 'busy') return fail(request, reply, 429, 1303, 'parallel task over resource pack limit');
    if (task === 'exists') {
      return fail(request, reply, 400, 1201, `external_task_id ${externalId} already exists`);
    }
    callbacks.follow(task, base(request));
    if (asked === 'after-create-reset') {
      reply.hijack();
      request.raw.socket.destroy();
      return reply;
    }
    if (asked === 'after-create-hang') {
      reply.hijack();
      return reply;
    }
    if (asked === 'after-create-5000') return fail(request, reply, 500, 5000, 'Internal server error');
    const describe = isLegacy ? describeTask : describeRecord;
    return succeed(request, reply, describe(task, now(), base(request)));
  });
  if (!isLegacy) return;

  app.get<{ Params: { id: string } }>(`${path}/:id`, async (request, reply) => {
    const account = authorize(request, reply);
    if (account === undefined) return reply;
    const asked = await faultOf(request, account);
    if (asked !== undefined && answerFault(asked, request, reply)) return reply;
    const task = book.find(account, kind, request.params.id);
    if (task === undefined) return fail(request, reply, 400, 1201, 'Task not found by id/external id');
    return succeed(request, reply, describeTask(task, now(), base(request)));
  });

  const paging = z.object({
    pageNum: z.coerce.number().int().min(1).max(1000).default(1),
    pageSize: z.coerce.number().int().min(1).max(500).default(30),
  });
  app.get(path, async (request, reply) => {
    const account = authorize(request, reply);
    if (account === undefined) return reply;
    const page = paging.safeParse(request.query);
    if (!page.success) return fail(request, reply, 400, 1201, 'pageNum or pageSize is invalid');
    const tasks = book.list(account, kind, page.data.pageNum, page.data.pageSize);
    return succeed(
      request,
      reply,
      tasks.map((task) => describeTask(task, now(), base(request))),
    );
  });
}

const labelsSchema = z.object({
  external_task_id: z.string().min(1).max(128).optional(),
  callback_url: z.url().optional(),
});

/** Calls that make no task, answered with contents that are made up. */
function addOperations(app: FastifyInstance, now: () => number, fault: SandboxOptions['fault']): void {
  for (const name of operationNames) {
    const { method, path, schema }: Operation = OPERATIONS[name];
    app.route({
      method,
      url: path,
      handler: async (request, reply) => {
        if (authorize(request, reply) === undefined) return reply;
        const asked = faultSchema.safeParse(request.headers['x-sandbox-fault']).data ?? (await fault?.(method, path));
        if (asked !== undefined && answerFault(asked, request, reply)) return reply;
        const parsed = schema.safeParse(method === 'GET' ? request.query : request.body);
        if (!parsed.success) {
          const [issue] = parsed.error.issues;
          return fail(request, reply, 400, 1201, `${issue?.path.join('.') ?? ''} is invalid: ${issue?.message ?? ''}`);
        }
        return succeed(request, reply, ANSWERS[name](now(), base(request)));
      },
    });
  }
}
const isOperation = (name: string): name is OperationName => name in OPERATIONS;
const operationNames = Object.keys(OPERATIONS).filter(isOperation);

/** More in one call are refused. */
const MOST_IDS = 20;
const ids = z
  .string()
  .optional()
  .transform((text) => text?.split(',').filter((id) => id !== ''));

/**
 * The query of the newer families: `/tasks` knows tasks of every family but
 * solutions. A task that is not there is left out.
 */
function addTasks(
  app: FastifyInstance,
  path: '/tasks' | '/solutions',
  book: TaskBook,
  now: () => number,
  fault: SandboxOptions['fault'],
): void {
  const isHere = (kind: Kind) => (ENDPOINTS[kind].family === 'solutions') === (path === '/solutions');
  const listed = z.object({
    start_time: z.coerce.number().optional(),
    end_time: z.coerce.number().optional(),
    cursor: z.string().optional(),
    limit: z.int().min(1).max(500).default(100),
    filters: z.array(z.object({ key: z.string(), values: z.array(z.string()) })).default([]),
  });
  app.post(path, async (request, reply) => {
    const account = authorize(request, reply, true);
    if (account === undefined) return reply;
    const query = listed.safeParse(request.body ?? {});
    if (!query.success) return fail(request, reply, 400, 1201, 'the query is invalid');
    const { start_time: from = 0, end_time: to = Infinity, cursor, limit, filters } = query.data;
    const states = filters.find(({ key }) => key === 'status')?.values;
    const all = book
      .all(account)
      .filter(({ kind, createdAt }) => isHere(kind) && createdAt >= from && createdAt <= to)
      .map((task) => describeRecord(task, now(), base(request)))
      .filter(({ status }) => states === undefined || states.includes(String(status)));
    const start = Number(cursor ?? 0);
    const result = all.slice(start, start + limit);
    const end = start + result.length;
    const more = end < all.length;
    return succeed(request, reply, {
      result,
      count: result.length,
      has_more: more,
      next_cursor: more ? String(end) : '',
    });
  });
  app.get(path, async (request, reply) => {
    const account = authorize(request, reply, true);
    if (account === undefined) return reply;
    const asked = faultSchema.safeParse(request.headers['x-sandbox-fault']).data ?? (await fault?.('GET', path));
    if (asked !== undefined && answerFault(asked, request, reply)) return reply;
    const query = z.object({ task_ids: ids, external_task_ids: ids }).safeParse(request.query);
    const { task_ids: own, external_task_ids: external } = query.data ?? {};
    const wanted = own ?? external ?? [];
    if ((own === undefined) === (external === undefined) || wanted.length === 0 || wanted.length > MOST_IDS) {
      return fail(request, reply, 400, 1201, `exactly one of task_ids and external_task_ids, ${MOST_IDS} at most`);
    }
    const found = wanted.map((id) => book.findAny(account, own === undefined ? 'externalId' : 'id', id));
    return succeed(
      request,
      reply,
      found.flatMap((task) =>
        task === undefined || !isHere(task.kind) ? [] : [describeRecord(task, now(), base(request))],
      ),
    );
  });
}

const wanted = z.object({
  model_name: z.string().catch(''),
  prompt: z.string().catch(''),
  aspect_ratio: z.string().optional().catch(undefined),
  n: z.number().catch(1),
  duration: z.union([z.string(), z.number()]).transform(String).catch('5'),
  element_name: z.string().optional(),
  voice_name: z.string().optional(),
});

/** What of a request decides its result. Pictures that come in are part of the seed as a hash: tasks are kept, by the thousand. */
function newTask(kind: Kind, request: KlingRequest): Omit<NewTask, 'account' | 'externalId' | 'callbackUrl'> {
  const body = wanted.parse(request);
  const name = body.element_name ?? body.voice_name;
  const settings = z.looseObject({ settings: wanted.partial().catch({}) }).safeParse(request).data?.settings;
  return {
    kind,
    request,
    model: body.model_name,
    prompt: name ?? `${body.prompt}\n${hash(JSON.stringify(request))}`,
    aspectRatio: body.aspect_ratio ?? settings?.aspect_ratio ?? (kind === 'virtual-try-on' ? '3:4' : '16:9'),
    count: body.n,
    seconds: settings?.duration ?? body.duration,
  };
}

function hash(picture: string): string {
  return createHash('sha256').update(picture).digest('hex');
}

/** The account, or undefined when the refusal has been sent. Any key is good but one. */
function authorize(request: FastifyRequest, reply: FastifyReply, keyOnly = false): string | undefined {
  const header = request.headers.authorization ?? '';
  const key = /^Bearer +(\S+)$/i.exec(header)?.[1];
  // The newer families take API keys alone, no signed tokens.
  const isTaken = key !== undefined && key !== BAD_KEY && !(keyOnly && /^eyJ[^.]+\.[^.]+\.[^.]+$/.test(key));
  if (isTaken) return key;
  if (header === '') void fail(request, reply, 401, 1001, 'Authorization is empty');
  else void fail(request, reply, 401, 1002, 'Authorization is invalid');
  return undefined;
}

/** Whether the request has been answered (or will never be). */
function answerFault(fault: Fault, request: FastifyRequest, reply: FastifyReply): boolean {
  const told = FAULT_REPLIES[fault];
  if (told !== undefined) void fail(request, reply, told.status, told.code, told.message);
  else if (fault === 'html') void reply.code(502).type('text/html').send('<html><h1>Bad gateway</h1></html>');
  else if (fault === 'timeout') reply.hijack();
  else return false;
  return true;
}

async function sendResult(request: FastifyRequest, reply: FastifyReply, book: TaskBook, now: () => number) {
  const { id = '', file = '' } = z.object({ id: z.string(), file: z.string() }).partial().parse(request.params);
  const [, index, extension] = /^(\d)\.(png|mp4|wav)$/.exec(file) ?? [];
  const task = book.byId(id);
  const expected = task === undefined ? undefined : EXTENSIONS[ENDPOINTS[task.kind].result];
  const isThere =
    task !== undefined && now() >= task.finishesAt && extension === expected && Number(index) < task.count;
  if (!isThere) return await fail(request, reply, 404, 1203, 'No such result');
  if (expected === 'mp4') return await reply.type('video/mp4').send(CLIP);
  if (expected === 'wav') return await reply.type('audio/wav').send(TONE);
  return await reply.type('image/png').send(drawPicture(task.prompt, task.aspectRatio, Number(index)));
}
const EXTENSIONS = { images: 'png', videos: 'mp4', audios: 'wav', voices: 'wav', elements: undefined } as const;

function base(request: FastifyRequest): string {
  return `http://${request.headers.host ?? 'localhost'}`;
}

function succeed(request: FastifyRequest, reply: FastifyReply, data: unknown): FastifyReply {
  return reply.send({ code: 0, message: 'SUCCEED', request_id: request.id, data });
}

function fail(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  code: number,
  message: string,
): FastifyReply {
  return reply.code(status).send({ code, message, request_id: request.id });
}
