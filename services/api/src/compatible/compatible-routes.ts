import { ENDPOINTS, KINDS, type Kind, type KlingRequest, OPERATIONS, type Operation, REQUESTS } from '@klingapi/kling';
import type { FastifyError, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { bearer, requireScope, subjectOf } from '../access.ts';
import { makeCall } from '../catalogue/calls.ts';
import { OPERATION_NAMES } from '../catalogue/operation-routes.ts';
import type { App, Context } from '../context.ts';
import { problemOf } from '../error-reply.ts';
import { ownProblem } from '../problem.ts';
import { createTask } from '../tasks/creation.ts';
import type { Task } from '../tasks/task.ts';
import { familyOf, taskAs } from './shapes.ts';
import { vendorErrorOf } from './vendor-errors.ts';

const labels = z.object({
  external_task_id: z.string().min(1).max(128).optional(),
  callback_url: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .optional()
    .catch(undefined),
});
const envelope = z.object({ code: z.int(), message: z.string(), request_id: z.string(), data: z.unknown().optional() });
const replies = { 200: envelope, '4xx': envelope, '5xx': envelope };
const common = { tags: ['Kling-compatible'], security: bearer };
/** More ids in one call are refused, as Kling does. */
const MOST_IDS = 20;

/** Every path of Kling, in its own words. */
export function addCompatibleRoutes(app: App, context: Context): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const details = problemOf(error, request);
    const { status, code, message } = vendorErrorOf(details, error);
    if (details.retryAfterSeconds !== undefined) void reply.header('retry-after', details.retryAfterSeconds);
    return reply.code(status).send({ code, message, request_id: request.id });
  });
  for (const kind of KINDS) {
    addCreate(app, context, kind);
    if (ENDPOINTS[kind].family === 'legacy') addLegacyReads(app, context, kind);
  }
  addNewerReads(app, context, '/tasks');
  addNewerReads(app, context, '/solutions');
  addOperations(app, context);
}

function succeed(request: FastifyRequest, data: unknown) {
  return { code: 0, message: 'SUCCEED', request_id: request.id, data };
}

function addCreate(app: App, context: Context, kind: Kind): void {
  const { path, family } = ENDPOINTS[kind];
  app.route({
    method: 'POST',
    url: family === 'new' ? `${path}/:model` : path,
    onRequest: requireScope(context.authenticate, 'create'),
    schema: {
      ...common,
      summary: `As Kling's own: ${kind}`,
      body: z.record(z.string(), z.unknown()),
      ...(family === 'new' ? { params: z.object({ model: z.string().min(1).max(64) }) } : {}),
      response: replies,
    },
    handler: async (request) => {
      const { model } = z.object({ model: z.string().optional() }).parse(request.params ?? {});
      const { body } = request;
      const parsed = parseRequest(kind, model === undefined ? body : { ...body, model_name: model });
      const given = labels.safeParse(family === 'legacy' ? body : (body['options'] ?? {}));
      if (!given.success) throw invalid(given.error);
      const task = await createTask(context, request, {
        kind,
        request: parsed,
        externalId: given.data.external_task_id,
        callbackUrl: given.data.callback_url,
      });
      return succeed(request, taskAs(familyOf(task), task));
    },
  });
}

function parseRequest(kind: Kind, body: unknown): KlingRequest {
  const parsed = REQUESTS[kind].safeParse(body);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error);
}

function invalid(error: z.ZodError) {
  return ownProblem(
    'invalid_request',
    error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
  );
}

function addLegacyReads(app: App, context: Context, kind: Kind): void {
  const { path } = ENDPOINTS[kind];
  const onRequest = requireScope(context.authenticate, 'read');
  app.route({
    method: 'GET',
    url: `${path}/:id`,
    onRequest,
    schema: {
      ...common,
      summary: `As Kling's own: one ${kind}, by its id or the external one`,
      params: z.object({ id: z.string().min(1).max(128) }),
      response: replies,
    },
    handler: async (request) => {
      const { id } = request.params;
      const subject = subjectOf(request);
      const task = (await byId(context, subject, id)) ?? (await context.store.findByExternalId(subject, id));
      if (task?.kind !== kind) throw ownProblem('task_not_found', 'Task not found by id/external id');
      return succeed(request, taskAs('legacy', task));
    },
  });
  app.route({
    method: 'GET',
    url: path,
    onRequest,
    schema: {
      ...common,
      summary: `As Kling's own: every ${kind}, newest first`,
      querystring: z.object({
        pageNum: z.coerce.number().int().min(1).max(1000).default(1),
        pageSize: z.coerce.number().int().min(1).max(500).default(30),
      }),
      response: replies,
    },
    handler: async (request) => {
      const { pageNum, pageSize } = request.query;
      const page = { kinds: [kind], limit: pageSize, offset: (pageNum - 1) * pageSize };
      const tasks = await context.store.list(subjectOf(request), page);
      return succeed(
        request,
        tasks.map((task) => taskAs('legacy', task)),
      );
    },
  });
}

async function byId({ store }: Context, subject: string, id: string): Promise<Task | undefined> {
  const task = await store.find(id);
  return task?.subject === subject ? task : undefined;
}

const ids = z
  .string()
  .max(4096)
  .transform((text) => text.split(',').filter((id) => id !== ''))
  .optional();
const listed = z.object({
  start_time: z.coerce.number().int().min(0).optional(),
  end_time: z.coerce.number().int().min(0).optional(),
  cursor: z
    .string()
    .regex(/^\d{0,9}$/)
    .optional(),
  limit: z.int().min(1).max(500).default(100),
  filters: z.array(z.object({ key: z.string(), values: z.array(z.string()) })).default([]),
});
const STATES: Readonly<Record<string, readonly Task['state'][]>> = {
  submitted: ['queued', 'submitting', 'submitted'],
  processing: ['processing'],
  succeed: ['succeeded'],
  succeeded: ['succeeded'],
  failed: ['failed'],
};

/** `/tasks` knows every kind but solutions, `/solutions` these. */
function addNewerReads(app: App, context: Context, url: '/tasks' | '/solutions'): void {
  const { store } = context;
  const onRequest = requireScope(context.authenticate, 'read');
  const kinds = KINDS.filter((kind) => (ENDPOINTS[kind].family === 'solutions') === (url === '/solutions'));
  app.route({
    method: 'GET',
    url,
    onRequest,
    schema: {
      ...common,
      summary: "As Kling's own: up to 20 tasks by their ids",
      querystring: z.object({ task_ids: ids, external_task_ids: ids }),
      response: replies,
    },
    handler: async (request) => {
      const { task_ids: own, external_task_ids: external } = request.query;
      const wanted = own ?? external ?? [];
      if ((own === undefined) === (external === undefined) || wanted.length === 0 || wanted.length > MOST_IDS) {
        const rule = `exactly one of task_ids and external_task_ids, with ${MOST_IDS} ids at most`;
        throw ownProblem('invalid_request', rule);
      }
      const subject = subjectOf(request);
      const found = await Promise.all(
        wanted.map((id) => (own === undefined ? store.findByExternalId(subject, id) : byId(context, subject, id))),
      );
      const tasks = found.flatMap((task) => (task !== undefined && kinds.includes(task.kind) ? [task] : []));
      return succeed(
        request,
        tasks.map((task) => taskAs('newer', task)),
      );
    },
  });
  app.route({
    method: 'POST',
    url,
    onRequest,
    schema: {
      ...common,
      summary: "As Kling's own: a page of tasks, newest first",
      body: listed.nullish().transform((body) => body ?? listed.parse({})),
      response: replies,
    },
    handler: async (request) => {
      const { start_time: from, end_time: to, cursor, limit, filters } = request.body;
      const states = filters.find(({ key }) => key === 'status')?.values.flatMap((word) => STATES[word] ?? []);
      const offset = Number(cursor ?? 0);
      const query = { kinds, from, to, limit: limit + 1, offset, states: states?.length === 0 ? undefined : states };
      const tasks = await store.list(subjectOf(request), query);
      const hasMore = tasks.length > limit;
      const result = tasks.slice(0, limit).map((task) => taskAs('newer', task));
      const next = hasMore ? String(offset + limit) : '';
      return succeed(request, { result, count: result.length, next_cursor: next, has_more: hasMore });
    },
  });
}

function addOperations(app: App, context: Context): void {
  for (const name of OPERATION_NAMES) {
    const { method, path, schema, scope }: Operation = OPERATIONS[name];
    app.route({
      method,
      url: path,
      onRequest: requireScope(context.authenticate, scope),
      schema: {
        ...common,
        summary: `As Kling's own: ${name}`,
        ...(method === 'GET' ? { querystring: schema } : { body: schema }),
        response: replies,
      },
      handler: async (request) => succeed(request, await makeCall(context, request, name)),
    });
  }
}
