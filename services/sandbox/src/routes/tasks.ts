import { ENDPOINTS, impossible, KINDS, type Kind, REQUESTS } from '@klingapi/kling';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type Answer, fail, invalid, succeed } from '../answer.ts';
import { addRoute, type Call } from '../door.ts';
import { badMedia } from '../media/check.ts';
import { describeOwn, describeTask } from '../tasks/describe.ts';
import { readRequest } from '../tasks/read.ts';
import type { World } from '../world.ts';

/** Base64 of a 10 MB picture twice (try-on), and the rest of the body. */
export const BODY_LIMIT = 30 * 1024 * 1024;
/** Base64 of one 50 MB picture. */
const BIG_BODY_LIMIT = 72 * 1024 * 1024;

const labelsSchema = z.object({
  external_task_id: z.string().min(1).max(128).optional(),
  callback_url: z.url({ protocol: /^https?$/ }).optional(),
});

/** Creating a task of each kind; and asking for it, in the legacy family. */
export function addTaskRoutes(app: FastifyInstance, world: World): void {
  for (const kind of KINDS) {
    const { path, family } = ENDPOINTS[kind];
    const isLegacy = family === 'legacy';
    addRoute(
      app,
      world,
      {
        ...{ method: 'POST', kind, creates: true, keyOnly: !isLegacy },
        path: family === 'new' ? `${path}/:model` : path,
        ...(isLegacy ? {} : { bodyLimit: BIG_BODY_LIMIT }),
      },
      (call) => create(world, kind, call),
    );
    if (!isLegacy) continue;
    addRoute(app, world, { method: 'GET', path: `${path}/:id`, kind }, (call) => findOne(world, kind, call));
    addRoute(app, world, { method: 'GET', path, kind }, (call) => list(world, kind, call));
  }
}

function create(world: World, kind: Kind, { request, account, struck, base }: Call): Answer {
  const isLegacy = ENDPOINTS[kind].family === 'legacy';
  const { model } = z.object({ model: z.string().optional() }).parse(request.params);
  const body = z
    .looseObject({})
    .transform((given) => (model === undefined ? given : { ...given, model_name: model }))
    .pipe(REQUESTS[kind])
    .safeParse(request.body);
  if (!body.success) return invalid(body.error.issues);
  const [reason] = impossible(kind, body.data);
  if (reason !== undefined) return fail(1201, `${reason.field}: ${reason.problem}`);
  const labels = (isLegacy ? labelsSchema : z.object({ options: labelsSchema.prefault({}) })).safeParse(request.body);
  if (!labels.success) return invalid(labels.error.issues);
  const { external_task_id: externalId, callback_url: callbackUrl } =
    'options' in labels.data ? labels.data.options : labels.data;
  const refused = badMedia(kind, body.data) ?? world.library.missing(account, kind, body.data);
  if (refused !== undefined) return refused;

  const { units, ...read } = readRequest(kind, body.data);
  const paid = struck?.fault === 'task-fails' ? 0 : units;
  const task = world.book.add({ ...read, units: paid, account, externalId, callbackUrl, struck });
  if (task === 'busy') return fail(1303);
  if (task === 'empty') return fail(1102);
  if (task === 'exists') return fail(1201, `external_task_id ${externalId} already exists`);
  world.callbacks.follow(task, base);
  return succeed(describeOwn(task, world.clock.now(), base), task.id);
}

function findOne(world: World, kind: Kind, { request, account, base }: Call): Answer {
  const { id } = z.object({ id: z.string() }).parse(request.params);
  const task = world.book.find(account, kind, id);
  if (task === undefined) return fail(1201, 'Task not found by id/external id');
  return succeed(describeTask(task, world.clock.now(), base));
}

const paging = z.object({
  pageNum: z.coerce.number().int().min(1).max(1000).default(1),
  pageSize: z.coerce.number().int().min(1).max(500).default(30),
});

function list(world: World, kind: Kind, { request, account, base }: Call): Answer {
  const page = paging.safeParse(request.query);
  if (!page.success) return fail(1201, 'pageNum (1 to 1000) or pageSize (1 to 500) is invalid');
  const tasks = world.book.list(account, kind, page.data.pageNum, page.data.pageSize);
  return succeed(tasks.map((task) => describeTask(task, world.clock.now(), base)));
}
