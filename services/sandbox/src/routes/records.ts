import { ENDPOINTS, type Kind } from '@klingapi/kling';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type Answer, fail, invalid, succeed } from '../answer.ts';
import { addRoute, type Call } from '../door.ts';
import { describeRecord } from '../tasks/describe.ts';
import { statusAt } from '../tasks/task.ts';
import type { World } from '../world.ts';

/** More in one call are refused. */
const MOST_IDS = 20;
/** Without a start, lists go back so far. */
const WINDOW_MS = 30 * 86_400_000;

const ids = z
  .string()
  .optional()
  .transform((text) => text?.split(',').filter((id) => id !== ''));
const asked = z
  .object({ task_ids: ids, external_task_ids: ids })
  .catch({ task_ids: undefined, external_task_ids: undefined });

const time = z.coerce.number().min(0);
const filter = z.object({ key: z.enum(['status', 'product_type']), values: z.array(z.string()).min(1) });

/**
 * The queries of the newer families: `/tasks` knows the tasks of every family but
 * the solutions, which `/solutions` knows. A task that is not there is left out.
 */
export function addRecordRoutes(app: FastifyInstance, world: World): void {
  for (const path of ['/tasks', '/solutions'] as const) {
    const isHere = (kind: Kind) => (ENDPOINTS[kind].family === 'solutions') === (path === '/solutions');
    const listed = z.object({
      start_time: time.optional(),
      end_time: time.optional(),
      cursor: z.string().max(200).optional(),
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(500)
        .default(path === '/tasks' ? 100 : 500),
      filters: z.array(filter).default([]),
    });
    const route = { path, keyOnly: true } as const;
    addRoute(app, world, { ...route, method: 'GET' }, (call) => findMany(world, isHere, call));
    addRoute(app, world, { ...route, method: 'POST' }, (call) => {
      const query = listed.safeParse(call.request.body ?? {});
      return query.success ? list(world, isHere, call, query.data) : invalid(query.error.issues);
    });
  }
}

function findMany(world: World, isHere: (kind: Kind) => boolean, { request, account, base }: Call): Answer {
  const { task_ids: own, external_task_ids: external } = asked.parse(request.query);
  const wanted = own ?? external ?? [];
  if ((own === undefined) === (external === undefined) || wanted.length === 0 || wanted.length > MOST_IDS) {
    return fail(1201, `exactly one of task_ids and external_task_ids, ${MOST_IDS} at most`);
  }
  const found = wanted.flatMap((id) => world.book.findAny(account, own === undefined ? 'externalId' : 'id', id) ?? []);
  const now = world.clock.now();
  return succeed(found.filter(({ kind }) => isHere(kind)).map((task) => describeRecord(task, now, base)));
}

interface Query {
  readonly start_time?: number | undefined;
  readonly end_time?: number | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
  readonly filters: readonly z.infer<typeof filter>[];
}

/** A cursor holds the times of the first page, and the last task that was told. */
const cursorSchema = z.tuple([z.number(), z.number(), z.int()]);

function list(world: World, isHere: (kind: Kind) => boolean, { account, base }: Call, query: Query): Answer {
  const now = world.clock.now();
  let [from, to, before] = [query.start_time ?? now - WINDOW_MS, query.end_time ?? now, Infinity];
  if (query.cursor !== undefined && query.cursor !== '') {
    const cursor = readCursor(query.cursor);
    if (cursor === undefined) return fail(1201, 'cursor is invalid: take next_cursor as it was told');
    [from, to, before] = cursor;
  }
  const passes = (key: Query['filters'][number]['key'], is: string) =>
    query.filters.filter((each) => each.key === key).every(({ values }) => values.includes(is));
  const matching = world.book
    .all(account)
    .filter(
      (task) =>
        isHere(task.kind) &&
        task.sequence < before &&
        task.createdAt >= from &&
        task.createdAt <= to &&
        (passes('status', statusAt(task, now)) || passes('status', wordOf(statusAt(task, now)))) &&
        passes('product_type', productOf(task.kind)),
    );
  const page = matching.slice(0, query.limit);
  const more = matching.length > page.length;
  const last = page.at(-1)?.sequence ?? 0;
  return succeed({
    result: page.map((task) => describeRecord(task, now, base)),
    count: page.length,
    has_more: more,
    next_cursor: more ? Buffer.from(JSON.stringify([from, to, last])).toString('base64url') : '',
  });
}

/** Both spellings of success are asked for. */
const wordOf = (status: string) => (status === 'succeeded' ? 'succeed' : status);

function productOf(kind: Kind): string {
  if (kind === 'virtual-try-on') return 'try_on';
  return ENDPOINTS[kind].result === 'images' ? 'image' : 'video';
}

function readCursor(text: string): z.infer<typeof cursorSchema> | undefined {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    return undefined;
  }
}
