import { z } from 'zod';
import { ENDPOINTS, type Kind } from './endpoints.ts';
import { KlingError } from './errors.ts';
import { type ExchangeOptions, exchange } from './exchange.ts';
import { taskRecord, type UpstreamTask } from './replies.ts';

/** More ids in one call are refused (400, 1201). Source: live calls, 2026-09-21. */
export const BATCH_SIZE = 20;
/** Single look-ups under way at once, where there are no batches. */
const AT_ONCE = 8;
/** Between the beginnings of two lots of them: 20 in a second, as often as batches are asked for. */
const LOT_MS = 400;
/** A relay that does not know the call may learn it with its next release. */
const TRY_AGAIN_MS = 3_600_000;

/** `status`: what is known of it already. */
export type Wanted = { readonly kind: Kind; readonly id: string; readonly status?: string | undefined };
/** `unchanged`: it has the status that is known, and goes on. */
export type Look = UpstreamTask | 'unchanged' | KlingError;
type Find = (kind: Kind, id: string) => Promise<UpstreamTask | undefined>;

/**
 * `GET /tasks` tells of tasks of every family but solutions. It takes an API key
 * only, not a signed token, and relays in front of Kling need not know it: there
 * the tasks are asked for one by one. So are those that a batch leaves out,
 * because only the family that made a task can say for certain that it is gone.
 */
export function createBatchFinder(
  options: ExchangeOptions,
  takesBatches: boolean,
  find: Find,
  { now, sleep }: { readonly now: () => number; readonly sleep: (milliseconds: number) => Promise<void> },
): (tasks: readonly Wanted[]) => Promise<Map<string, Look>> {
  let nextLot = 0;
  let singlyUntil = takesBatches ? 0 : Number.POSITIVE_INFINITY;

  const batch = async (tasks: readonly Wanted[]): Promise<[string, Look][]> => {
    const ids = tasks.map(({ id }) => encodeURIComponent(id)).join(',');
    const data = await exchange('GET', `/tasks?task_ids=${ids}`, undefined, options);
    const known = new Map(tasks.map(({ id, status }) => [id, status]));
    const records: readonly unknown[] = Array.isArray(data) ? data : [data];
    // Most tasks have not moved since: the whole of their records would be read for nothing.
    const still = records.map((record) => (isStill(record, known) ? record.id : undefined));
    const moved = z.array(taskRecord).safeParse(records.filter((_, at) => still[at] === undefined));
    if (!moved.success) throw new KlingError({ judged: NO_BATCHES, httpStatus: 200, cause: moved.error });
    return [
      ...still.flatMap((id): [string, Look][] => (id === undefined ? [] : [[id, 'unchanged']])),
      ...moved.data.map((task): [string, Look] => [task.id, task]),
    ];
  };

  const singly = async ({ kind, id }: Wanted): Promise<[string, Look][]> => {
    try {
      const task = await find(kind, id);
      return task === undefined ? [] : [[id, task]];
    } catch (error) {
      if (error instanceof KlingError) return [[id, error]];
      throw error;
    }
  };

  /** What a batch told; undefined when Kling does not offer batches. */
  const tryBatch = async (tasks: readonly Wanted[]): Promise<Map<string, Look> | undefined> => {
    if (tasks.length < 2 || now() < singlyUntil) return undefined;
    try {
      return new Map(await batch(tasks));
    } catch (error) {
      if (!(error instanceof KlingError)) throw error;
      if (!MEANS_NO_BATCHES.has(error.kind)) return new Map(tasks.map(({ id }) => [id, error]));
      singlyUntil = now() + TRY_AGAIN_MS;
      return undefined;
    }
  };

  return async (tasks) => {
    const answers = new Map<string, Look>();
    for (const some of chunks(tasks, BATCH_SIZE)) {
      const together = some.filter(({ kind }) => ENDPOINTS[kind].family !== 'solutions');
      for (const [id, answer] of (await tryBatch(together)) ?? []) answers.set(id, answer);
      for (const few of chunks(
        some.filter(({ id }) => !answers.has(id)),
        AT_ONCE,
      )) {
        const start = Math.max(nextLot, now());
        nextLot = start + LOT_MS;
        if (start > now()) await sleep(start - now());
        for (const [id, answer] of (await Promise.all(few.map(singly))).flat()) answers.set(id, answer);
      }
    }
    return answers;
  };
}

function isStill(record: unknown, known: ReadonlyMap<string, string | undefined>): record is { id: string } {
  if (typeof record !== 'object' || record === null || !('id' in record && 'status' in record)) return false;
  const { id, status } = record;
  if (status !== 'submitted' && status !== 'processing') return false;
  return typeof id === 'string' && known.get(id) === status;
}

function* chunks<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size);
}

const NO_BATCHES = {
  kind: 'malformed',
  read: 'never',
  create: 'never',
  meaning: 'the reply of Kling holds no readable tasks',
} as const;
const MEANS_NO_BATCHES = new Set<KlingError['kind']>(['malformed', 'not_found', 'bad_request', 'forbidden']);
