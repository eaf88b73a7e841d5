import {
  ENDPOINTS,
  EXAMPLES,
  KINDS,
  type Kind,
  milliseconds,
  modelName,
  OPERATION_EXAMPLES,
  OPERATIONS,
  type Operation,
  type OperationName,
  REQUESTS,
} from '@klingapi/kling';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { bearer, requireScope, subjectOf } from '../access.ts';
import { makeCall } from '../catalogue/calls.ts';
import { OPERATION_NAMES } from '../catalogue/operation-routes.ts';
import type { App, Context } from '../context.ts';
import { vendorReplies } from '../documented-replies.ts';
import { operationId } from '../openapi.ts';
import { ownProblem } from '../problem.ts';
import { callbackUrl } from '../tasks/callback-url.ts';
import { createTask } from '../tasks/creation.ts';
import type { Task } from '../tasks/task.ts';
import { printable, taskId } from '../tasks/task-id.ts';
import { isLibrary, library } from './library.ts';
import { familyOf, taskAs, taskIn } from './shapes.ts';
import { filtered, taskFilters } from './task-filters.ts';

const labels = z.object({
  external_task_id: taskId.optional().describe('The caller’s own id; makes one task at most'),
  callback_url: z
    .union([callbackUrl, z.literal('')])
    .optional()
    .describe('Where each change of the task is told'),
});
const common = { tags: ['Kling-compatible'], security: bearer };
/** More ids in one call are refused, as Kling does. */
const MOST_IDS = 20;

/** Every path of Kling, in its own words. */
export function addCompatibleRoutes(app: App, context: Context): void {
  for (const kind of KINDS) {
    addCreate(app, context, kind);
    if (ENDPOINTS[kind].family === 'legacy') addLegacyReads(app, context, kind);
  }
  addNewerReads(app, context, '/tasks');
  addNewerReads(app, context, '/solutions');
  addOperations(app, context);
}

function succeed<D>(request: FastifyRequest, data: D) {
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
      operationId: operationId('klingCreate', kind),
      summary: `As Kling's own: ${kind}`,
      body: bodyOf(kind),
      bodyExample: EXAMPLES[kind],
      ...(family === 'new' ? { params: z.object({ model: modelName }) } : {}),
      response: vendorReplies(taskIn(family)),
    },
    handler: async (request) => {
      const { model } = z.object({ model: z.string().optional() }).parse(request.params ?? {});
      const { body } = request;
      const given = labels.parse(family === 'legacy' ? body : (body['options'] ?? {}));
      const task = await createTask(context, request, {
        kind,
        request: REQUESTS[kind].parse(model === undefined ? body : { ...body, model_name: model }),
        externalId: given.external_task_id,
        callbackUrl: given.callback_url === '' ? undefined : given.callback_url,
      });
      return succeed(request, taskAs(familyOf(task), task));
    },
  });
}

/** The fields of a kind where its family has them, with those that tell tasks apart. */
function bodyOf(kind: Kind): z.ZodObject {
  const schema: z.ZodObject = REQUESTS[kind];
  const { family } = ENDPOINTS[kind];
  if (family === 'legacy') return schema.safeExtend(labels.shape);
  const { model_name: _inPath, ...shape } = schema.shape;
  const marks = z.looseObject({ ...labels.shape, watermark_info: z.object({ enabled: z.boolean() }).optional() });
  return z.object({ ...shape, options: marks.optional() });
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
      operationId: operationId('klingGet', kind),
      summary: `As Kling's own: one ${kind}, by its id or the external one`,
      params: z.object({ id: taskId }),
      response: vendorReplies(taskIn('legacy')),
    },
    handler: async (request) => {
      const { id } = request.params;
      const subject = subjectOf(request);
      const task = (await byId(context, subject, id)) ?? (await context.store.findByExternalId(subject, id));
      if (task?.kind === kind) return succeed(request, taskAs('legacy', task));
      const things = isLibrary(kind) ? await library(context, subject, kind) : [];
      const thing = things.find(({ task_id: known }) => known === id);
      if (thing === undefined) throw ownProblem('task_not_found', 'Task not found by id/external id');
      return succeed(request, thing);
    },
  });
  app.route({
    method: 'GET',
    url: path,
    onRequest,
    schema: {
      ...common,
      operationId: operationId('klingList', kind),
      summary: `As Kling's own: every ${kind}, newest first`,
      querystring: z.object({
        pageNum: z.coerce.number().int().min(1).max(1000).default(1),
        pageSize: z.coerce.number().int().min(1).max(500).default(30),
      }),
      response: vendorReplies(z.array(taskIn('legacy'))),
    },
    handler: async (request) => {
      const { pageNum, pageSize } = request.query;
      const offset = (pageNum - 1) * pageSize;
      if (isLibrary(kind)) {
        const things = await library(context, subjectOf(request), kind);
        return succeed(request, things.slice(offset, offset + pageSize));
      }
      const page = { kinds: [kind], limit: pageSize, offset };
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
  .regex(printable, 'has control characters')
  .transform((text) => text.split(',').filter((id) => id !== ''))
  .optional();
const listed = z.object({
  start_time: milliseconds.optional(),
  end_time: milliseconds.optional(),
  cursor: z
    .string()
    .regex(/^\d{0,9}$/)
    .optional(),
  limit: z.int().min(1).max(500).default(100),
  filters: taskFilters.default([]),
});

/** `/tasks` knows every kind but solutions, `/solutions` these. */
function addNewerReads(app: App, context: Context, url: '/tasks' | '/solutions'): void {
  const { store } = context;
  const name = url.slice(1);
  const onRequest = requireScope(context.authenticate, 'read');
  const kinds = KINDS.filter((kind) => (ENDPOINTS[kind].family === 'solutions') === (url === '/solutions'));
  app.route({
    method: 'GET',
    url,
    onRequest,
    schema: {
      ...common,
      operationId: operationId('klingGet', name),
      summary: "As Kling's own: up to 20 tasks by their ids",
      querystring: z.object({ task_ids: ids, external_task_ids: ids }),
      response: vendorReplies(z.array(taskIn('new'))),
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
      operationId: operationId('klingList', name),
      summary: "As Kling's own: a page of tasks, newest first",
      body: listed.nullish().transform((body) => body ?? listed.parse({})),
      response: vendorReplies(
        z.object({
          result: z.array(taskIn('new')),
          count: z.int(),
          next_cursor: z.string(),
          has_more: z.boolean(),
        }),
      ),
    },
    handler: async (request) => {
      const { start_time: from, end_time: to, cursor, limit, filters } = request.body;
      const offset = Number(cursor ?? 0);
      const query = { ...filtered(filters, kinds), from, to, limit: limit + 1, offset };
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
    const operation: Operation = OPERATIONS[name];
    const { path, alsoAt } = operation;
    addOperation(app, context, name, path);
    if (alsoAt !== undefined) addOperation(app, context, name, alsoAt);
  }
}

function addOperation(app: App, context: Context, name: OperationName, url: string): void {
  const operation: Operation = OPERATIONS[name];
  const { method, schema, scope } = operation;
  app.route({
    method,
    url,
    onRequest: requireScope(context.authenticate, scope),
    schema: {
      ...common,
      operationId: operationId('klingCall', name) + (url === operation.path ? '' : 'Too'),
      summary: `As Kling's own: ${name}`,
      ...(method === 'GET' ? { querystring: schema } : { body: schema, bodyExample: OPERATION_EXAMPLES[name] }),
      response: vendorReplies(z.unknown()),
    },
    handler: async (request) => succeed(request, await makeCall(context, request, name)),
  });
}
