import type { Kind } from '@klingapi/kling';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { type Told, taskAs } from './shapes.ts';

/** Things of the Kling account that outlive their task and are used in later ones. */
export function isLibrary(kind: Kind): kind is 'element' | 'voice' {
  return kind === 'element' || kind === 'voice';
}

const LARGEST_PAGE = 500;
/** 5,000 of them; no account is known that has as many. */
const MOST_PAGES = 10;
const listedSchema = z.looseObject({
  task_id: z.string(),
  created_at: z.number().catch(0),
  task_info: z
    .looseObject({ external_task_id: z.string().optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

/**
 * The elements or voices that a caller may use, newest first: its own, as this
 * service knows them, and those of the account that no caller of this service
 * made, as Kling tells them. What another caller made is not among them: Kling
 * knows it by the id of a task of ours.
 */
export async function library(context: Context, subject: string, kind: 'element' | 'voice'): Promise<Told[]> {
  const own = await context.store.list(subject, { kinds: [kind], limit: LARGEST_PAGE * MOST_PAGES });
  const all = await wholeList(context, kind);
  const ours = await context.store.known(all.flatMap(({ task_info: info }) => info?.external_task_id ?? []));
  const outside = all.filter(({ task_info: info }) => !ours.has(info?.external_task_id ?? ''));
  return [
    ...own.map((task) => ({ at: task.createdAt, told: taskAs('legacy', task) })),
    ...outside.map((told) => ({ at: told.created_at, told })),
  ]
    .sort((a, b) => b.at - a.at)
    .map(({ told }) => told);
}

async function wholeList({ client }: Context, kind: Kind): Promise<z.infer<typeof listedSchema>[]> {
  const all: z.infer<typeof listedSchema>[] = [];
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const some = await client.list(kind, page, LARGEST_PAGE);
    all.push(...some.flatMap((each) => listedSchema.safeParse(each).data ?? []));
    if (some.length < LARGEST_PAGE) break;
  }
  return all;
}
