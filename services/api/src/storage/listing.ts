import { detailsSchema } from '../tasks/task.ts';
import type { Database } from './database.ts';
import type { Listing } from './store.ts';
import { externalKey, TASK_COLUMNS, taskOf } from './tables.ts';

/** Databases take a limited number of parameters. */
const IDS_IN_A_QUERY = 500;

export function createListing(db: Database): Listing {
  const of = (subject: string) => db.kysely.selectFrom('tasks').where('subject', '=', subject);
  return {
    async list(subject, { limit, offset = 0, after, kinds, states, from, to }) {
      // PostgreSQL takes no empty list.
      if (kinds?.length === 0 || states?.length === 0) return [];
      let query = of(subject).select(TASK_COLUMNS);
      if (kinds !== undefined) query = query.where('kind', 'in', [...kinds]);
      if (states !== undefined) query = query.where('state', 'in', [...states]);
      if (from !== undefined) query = query.where('created_at', '>=', from);
      if (to !== undefined) query = query.where('created_at', '<', to);
      if (after !== undefined) {
        const { createdAt, id } = after;
        query = query.where(({ or, and, eb }) =>
          or([eb('created_at', '<', createdAt), and([eb('created_at', '=', createdAt), eb('id', '<', id)])]),
        );
      }
      const rows = await query
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit)
        .offset(offset)
        .execute();
      return rows.map(taskOf);
    },
    async findByExternalId(subject, externalId) {
      const row = await of(subject)
        .select(TASK_COLUMNS)
        .where('idempotency_key', '=', externalKey(externalId))
        .executeTakeFirst();
      return row === undefined ? undefined : taskOf(row);
    },
    async known(ids) {
      const found = new Set<string>();
      for (let from = 0; from < ids.length; from += IDS_IN_A_QUERY) {
        const some = ids.slice(from, from + IDS_IN_A_QUERY);
        const rows = await db.kysely.selectFrom('tasks').select('id').where('id', 'in', some).execute();
        for (const { id } of rows) found.add(id);
      }
      return found;
    },
    async made(subject, field, id) {
      const kind = field === 'element_id' ? 'element' : 'voice';
      const rows = await of(subject)
        .select('details')
        .where('kind', '=', kind)
        .where('details', 'is not', null)
        .execute();
      return rows.some(({ details }) => {
        const { elements = [], voices = [] } = detailsSchema.parse(JSON.parse(details ?? '{}'));
        return [...elements, ...voices].some((thing) => String(thing[field]) === id);
      });
    },
  };
}
