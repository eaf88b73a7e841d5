import { webhookSecretSchema } from '@klingapi/kling';
import { isUnclaimableHost } from '@klingapi/management';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { accountName } from '../authorization.ts';
import { NAMED_FAULTS } from '../faults/names.ts';
import { MOST_SCRIPTS, scriptSchema } from '../faults/script.ts';
import { packsSchema } from '../packs.ts';
import { type SandboxTask, statusAt } from '../tasks/task.ts';
import type { World } from '../world.ts';

const clockSchema = z
  .strictObject({
    speed: z.number().min(0, 'must be 0 (time stands still) or more').max(100_000, 'must be 100000 at most').optional(),
    advanceSeconds: z
      .number()
      .min(0, 'must be 0 or more: time does not go back')
      .max(31_536_000 * 10)
      .optional(),
  })
  .refine((given) => given.speed !== undefined || given.advanceSeconds !== undefined, {
    message: 'must have speed or advanceSeconds',
  });
const secretSchema = z.strictObject({
  /** null: no more signatures. */
  secret: webhookSecretSchema.nullable(),
  /** So long both secrets sign; Kling offers 7 days or none. */
  overlapSeconds: z
    .number()
    .min(0)
    .max(31_536_000)
    .default(7 * 86_400),
});
const tasksQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(100) });

/** What people and tests steer the sandbox by; it belongs on a port that callers do not reach. */
export function addAdminRoutes(server: FastifyInstance, world: World): void {
  server.register(async (app) => {
    app.addHook('onRequest', refusePages);
    addRoutes(app, world);
  });
}

/**
 * A browser on this machine reaches the sandbox for every page that it shows. Such
 * a page cannot hide its Origin, nor choose a Host that is no name of its own.
 */
async function refusePages(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const { origin, host } = request.headers;
  if (origin !== undefined && origin !== `http://${host}`) {
    const detail = `Pages of ${origin} may not steer the sandbox: send this without an Origin, as programs do`;
    return tell(reply, 403, 'origin_refused', detail);
  }
  if (isUnclaimableHost(host)) return undefined;
  const detail = `The Host ${host ?? '(none)'} could be a name of anybody: reach the sandbox by its address, localhost or its name in the cluster`;
  return tell(reply, 403, 'host_refused', detail);
}

function addRoutes(app: FastifyInstance, world: World): void {
  const { clock, book, scripts, packs, callbacks, library } = world;
  const time = () => ({ now: clock.now(), iso: new Date(clock.now()).toISOString(), speed: clock.speed });

  app.get('/sandbox/charges', () => book.charges());
  app.delete('/sandbox/charges', (_request, reply) => {
    book.resetCharges();
    return reply.code(204).send();
  });

  app.get('/sandbox/faults', () => ({
    faults: scripts.list().map((each) => ({ ...each, match: named(each.match) })),
    known: Object.fromEntries(Object.entries(NAMED_FAULTS).map(([name, { about }]) => [name, about])),
  }));
  app.post('/sandbox/faults', (request, reply) => {
    const script = scriptSchema.safeParse(request.body);
    if (!script.success) return problem(reply, script.error);
    const made = scripts.add(script.data);
    if (made === undefined) {
      return tell(reply, 409, 'too_many_faults', `There are ${MOST_SCRIPTS} faults: delete some before`);
    }
    return reply.code(201).send({ ...made, match: named(made.match) });
  });
  app.delete('/sandbox/faults', (_request, reply) => {
    scripts.clear();
    return reply.code(204).send();
  });
  app.delete('/sandbox/faults/:id', (request, reply) => {
    const { id } = z.object({ id: z.string() }).parse(request.params);
    if (scripts.delete(id)) return reply.code(204).send();
    return tell(reply, 404, 'not_found', `There is no fault ${id}: GET /sandbox/faults tells which there are`);
  });

  app.get('/sandbox/clock', time);
  app.post('/sandbox/clock', (request, reply) => {
    const wanted = clockSchema.safeParse(request.body);
    if (!wanted.success) return problem(reply, wanted.error);
    const { speed, advanceSeconds } = wanted.data;
    if (speed !== undefined) clock.setSpeed(speed);
    if (advanceSeconds !== undefined) clock.advance(advanceSeconds * 1000);
    return reply.send(time());
  });

  app.put('/sandbox/packs', (request, reply) => {
    const wanted = packsSchema.safeParse(request.body);
    if (!wanted.success) return problem(reply, wanted.error);
    packs.set(wanted.data);
    return reply.code(204).send();
  });

  app.put('/sandbox/webhook-secret', (request, reply) => {
    const wanted = secretSchema.safeParse(request.body);
    if (!wanted.success) return problem(reply, wanted.error);
    callbacks.rotate(wanted.data.secret ?? undefined, wanted.data.overlapSeconds);
    return reply.code(204).send();
  });

  app.get('/sandbox/tasks', (request, reply) => {
    const query = tasksQuery.safeParse(request.query);
    if (!query.success) return problem(reply, query.error);
    const all = book.all();
    const tasks = all.slice(0, query.data.limit).map((task) => summary(task, clock.now()));
    return reply.send({ count: all.length, tasks });
  });

  app.post('/sandbox/reset', (_request, reply) => {
    for (const each of [book, scripts, packs, library]) each.clear();
    callbacks.reset();
    clock.reset();
    return reply.code(204).send();
  });
}

const named = <T extends { account?: string | undefined }>(match: T): T =>
  match.account === undefined ? match : { ...match, account: accountName(match.account) };

function summary(task: SandboxTask, now: number) {
  const ends = task.finishesAt === Infinity ? null : new Date(task.finishesAt).toISOString();
  return {
    ...{ id: task.id, externalId: task.externalId ?? null, account: accountName(task.account), kind: task.kind },
    ...{ model: task.model, status: statusAt(task, now), units: task.units, pack: task.pack },
    ...{ createdAt: new Date(task.createdAt).toISOString(), finishesAt: ends, fault: task.struck?.fault ?? null },
  };
}

function problem(reply: FastifyReply, error: z.ZodError): FastifyReply {
  const errors = error.issues.map((issue) => ({
    field: issue.path.join('.') || '(body)',
    problem: issue.message,
  }));
  const detail = errors.map((each) => `${each.field}: ${each.problem}`).join('; ');
  return tell(reply, 400, 'invalid_request', detail, errors);
}

function tell(reply: FastifyReply, status: number, code: string, detail: string, errors?: readonly unknown[]) {
  const title = { 400: 'The request is invalid', 403: 'Refused', 404: 'Not found', 409: 'Too many' }[status] ?? 'Error';
  const body = { type: 'about:blank', title, status, detail, code, ...(errors === undefined ? {} : { errors }) };
  return reply.code(status).type('application/problem+json').send(JSON.stringify(body));
}
