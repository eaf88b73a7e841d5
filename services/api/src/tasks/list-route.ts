import { kindSchema } from '@klingapi/kling';
import { z } from 'zod';
import { bearer, requireScope, subjectOf } from '../access.ts';
import type { App, Context } from '../context.ts';
import { refusals } from '../documented-replies.ts';
import { ownProblem } from '../problem.ts';
import { time } from '../time.ts';
import { describeTask, type State, type Task, taskReplySchema, taskStatusReplySchema } from './task.ts';

const statusSchema = taskStatusReplySchema.shape.status;
/** What callers see as one status may be several states. */
const STATES: Readonly<Record<z.infer<typeof statusSchema>, readonly State[]>> = {
  submitted: ['queued', 'submitting', 'submitted'],
  processing: ['processing'],
  succeeded: ['succeeded'],
  failed: ['failed'],
};

const several = <S extends z.ZodType<string, string>>(schema: S) =>
  z
    .string()
    .max(1000)
    .transform((text) => text.split(','))
    .pipe(z.array(schema).min(1).max(40))
    .optional();
const query = z.object({
  status: several(statusSchema).describe('Comma list'),
  kind: several(kindSchema).describe('Comma list'),
  since: time.optional().describe('Made at this time or later'),
  until: time.optional().describe('Made before this time'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional().describe('`nextCursor` of the page before; keep the filters the same'),
});

/** Pages go by the last task of the page before, so that new tasks shift nothing. */
export function addListRoute(app: App, { store, authenticate, publicUrl }: Context): void {
  app.route({
    method: 'GET',
    url: '/api/tasks',
    onRequest: requireScope(authenticate, 'read'),
    schema: {
      operationId: 'listTasks',
      tags: ['tasks'],
      security: bearer,
      summary: 'The tasks of the caller, newest first',
      querystring: query,
      response: {
        200: z.object({ tasks: z.array(taskReplySchema), nextCursor: z.string().optional() }),
        ...refusals(400),
      },
    },
    handler: async (request) => {
      const { status, kind, since, until, limit, cursor } = request.query;
      const tasks = await store.list(subjectOf(request), {
        limit: limit + 1,
        after: cursor === undefined ? undefined : readCursor(cursor),
        kinds: kind,
        states: status?.flatMap((each) => STATES[each]),
        from: since,
        to: until,
      });
      const page = tasks.slice(0, limit);
      const last = page.at(-1);
      return {
        tasks: page.map((task) => describeTask(task, publicUrl)),
        ...(tasks.length > limit && last !== undefined ? { nextCursor: writeCursor(last) } : {}),
      };
    },
  });
}

function writeCursor({ createdAt, id }: Task): string {
  return Buffer.from(`${createdAt} ${id}`).toString('base64url');
}

function readCursor(text: string): { createdAt: number; id: string } {
  const [, time, id] = /^(\d{1,15}) ([0-9a-f-]{1,64})$/.exec(Buffer.from(text, 'base64url').toString('latin1')) ?? [];
  if (time !== undefined && id !== undefined) return { createdAt: Number(time), id };
  const problem = 'is no cursor of this service';
  const errors = [{ field: 'cursor', problem, hint: 'send nextCursor of the page before as it came' }];
  throw ownProblem('invalid_request', `cursor ${problem}`, { errors });
}
