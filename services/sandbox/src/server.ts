import { createHash } from 'node:crypto';
import { ENDPOINTS, KINDS, type Kind, REQUESTS, webhookKey } from '@klingapi/kling';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
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
  addTasks(app, book, now, options.fault);
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
  const { path } = ENDPOINTS[kind];
  const faultOf = (request: FastifyRequest, account: string) =>
    faultSchema.safeParse(request.headers['x-sandbox-fault']).data ??
    faultSchema.safeParse(/^fault-(.+)$/.exec(account)?.[1]).data ??
    fault?.(request.method, path);

  app.post(path, async (request, reply) => {
    const account = authorize(request, reply);
    if (account === undefined) return reply;
    const asked = await faultOf(request, account);
    if (asked !== undefined && answerFault(asked, request, reply)) return reply;
    const parsed = z
      .intersection(
        REQUESTS[kind],
        z.object({ external_task_id: z.string().min(1).max(128).optional(), callback_url: z.url().optional() }),
      )
      .safeParse(request.body);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return fail(request, reply, 400, 1201, `${issue?.path.join('.') ?? ''} is invalid: ${issue?.message ?? ''}`);
    }
    const { external_task_id: externalId, callback_url: callbackUrl } = parsed.data;
    const task = book.add({ ...newTask(kind, parsed.data), account, externalId, callbackUrl });
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
    return succeed(request, reply, describeTask(task, now(), base(request)));
  });

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

/** More in one call are refused. */
const MOST_IDS = 20;
const ids = z
  .string()
  .optional()
  .transform((text) => text?.split(',').filter((id) => id !== ''));

/** The query of the new family, which knows tasks of every family. A task that is not there is left out. */
function addTasks(app: FastifyInstance, book: TaskBook, now: () => number, fault: SandboxOptions['fault']): void {
  app.get('/tasks', async (request, reply) => {
    const account = authorize(request, reply);
    if (account === undefined) return reply;
    const asked = faultSchema.safeParse(request.headers['x-sandbox-fault']).data ?? (await fault?.('GET', '/tasks'));
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
      found.flatMap((task) => (task === undefined ? [] : [describeRecord(task, now(), base(request))])),
    );
  });
}

/** What of a request decides its result. Pictures that come in are part of the seed as a hash: tasks are kept, by the thousand. */
function newTask(kind: Kind, body: Record<string, unknown>): Omit<NewTask, 'account' | 'externalId' | 'callbackUrl'> {
  const text = (field: string) => {
    const value = body[field];
    return typeof value === 'string' ? value : '';
  };
  const count = body['n'];
  return {
    kind,
    model: text('model_name'),
    prompt: [
      text('prompt'),
      ...['image', 'image_tail', 'human_image', 'cloth_image'].map((field) => hash(text(field))),
    ].join('\n'),
    aspectRatio: text('aspect_ratio') || (kind === 'virtual-try-on' ? '3:4' : '16:9'),
    count: typeof count === 'number' ? count : 1,
    seconds: text('duration') || '5',
  };
}

function hash(picture: string): string {
  return picture === '' ? '' : createHash('sha256').update(picture).digest('hex');
}

/** The account, or undefined when the refusal has been sent. Any key is good but one. */
function authorize(request: FastifyRequest, reply: FastifyReply): string | undefined {
  const header = request.headers.authorization ?? '';
  const key = /^Bearer +(\S+)$/i.exec(header)?.[1];
  if (key !== undefined && key !== BAD_KEY) return key;
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
  const [, index, extension] = /^(\d)\.(png|mp4)$/.exec(file) ?? [];
  const task = book.byId(id);
  const wanted = task !== undefined && ENDPOINTS[task.kind].result === 'videos' ? 'mp4' : 'png';
  const isThere = task !== undefined && now() >= task.finishesAt && extension === wanted && Number(index) < task.count;
  if (!isThere) return await fail(request, reply, 404, 1203, 'No such result');
  return wanted === 'mp4'
    ? await reply.type('video/mp4').send(CLIP)
    : await reply.type('image/png').send(drawPicture(task.prompt, task.aspectRatio, Number(index)));
}

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
