import { kindSchema, UNIT_USD } from '@klingapi/kling';
import { z } from 'zod';
import { bearer, requireScope, requireUsageOfAll, subjectOf } from '../access.ts';
import type { App, Context } from '../context.ts';
import { refusals } from '../documented-replies.ts';
import { ownProblem } from '../problem.ts';
import type { CallUsageRow, UsageRow } from '../storage/store.ts';
import { taskErrorSchema } from '../tasks/task.ts';
import { time } from '../time.ts';
import { packOf } from './packs.ts';

const DAY_MS = 24 * 3_600_000;
/** All rows of the time are read for it, and SQLite does that in this process. */
const MOST_DAYS_OF_ALL = 31;
/** Messages come from Kling, whose length is not ours. */
const MESSAGE_LENGTH = 500;

const usageRow = z.object({
  kind: kindSchema,
  model: z.string(),
  tasks: z.int(),
  succeeded: z.int(),
  failed: z.int(),
  units: z.number().describe('What Kling took'),
  expectedUnits: z.number().describe('What tasks that have not ended will probably cost'),
  pack: z.enum(['video', 'image']),
  usd: z.number().describe('Of the units, at list price'),
});
const callRow = z.object({
  operation: z.string(),
  calls: z.int(),
  succeeded: z.int(),
  failed: z.int(),
  units: z.number().describe('By the price list, as Kling tells no charge; an unknown outcome counts'),
  pack: z.enum(['video', 'image']),
  usd: z.number().describe('Of the units, at list price'),
});
const caller = z.string().describe('A name in the Secret of the callers, `oauth:…`, `anonymous` or `system:…`');
const failureRow = taskErrorSchema.extend({
  caller,
  tasks: z.int().describe('That failed with this code'),
  message: z.string().describe('Of one of them'),
});

export function addUsageRoutes(app: App, { store, authenticate, now }: Context): void {
  const common = { tags: ['catalogue'], security: bearer };
  /** @param days how far it goes back where nothing is said */
  const span = ({ since, until }: { since?: number | undefined; until?: number | undefined }, days: number) => {
    // The task of this very millisecond belongs to it.
    const to = until ?? now() + 1;
    const from = since ?? Math.max(0, to - days * DAY_MS);
    if (from > to) throw wrong('since', 'is later than until', 'swap them');
    return { from, to, told: { since: new Date(from).toISOString(), until: new Date(to).toISOString() } };
  };

  app.route({
    method: 'GET',
    url: '/api/usage',
    onRequest: requireScope(authenticate, 'read'),
    schema: {
      ...common,
      operationId: 'getUsage',
      summary: 'What the tasks and paid calls of the caller came to',
      querystring: z.object({
        since: time.optional().describe('30 days ago without it'),
        until: time.optional(),
      }),
      response: {
        200: z.object({
          since: z.iso.datetime(),
          until: z.iso.datetime(),
          usage: z.array(usageRow),
          calls: z.array(callRow),
        }),
        ...refusals(400),
      },
    },
    handler: async (request) => {
      const { from, to, told } = span(request.query, 30);
      const subject = subjectOf(request);
      const rows = await store.usage(subject, from, to);
      const calls = await store.callUsage(subject, from, to);
      return { ...told, usage: rows.map(priced), calls: calls.map(pricedCall) };
    },
  });

  app.route({
    method: 'GET',
    url: '/api/usage/callers',
    onRequest: requireUsageOfAll(authenticate),
    schema: {
      ...common,
      operationId: 'getUsageOfAll',
      summary: 'Who spends, and whose tasks fail: the usage of all callers; takes the scope account',
      querystring: z.object({
        since: time.optional().describe('A day ago without it; 31 days before until at most'),
        until: time.optional(),
        limit: z.coerce.number().int().min(1).max(1000).default(200).describe('Most rows of each list'),
      }),
      response: {
        200: z.object({
          since: z.iso.datetime(),
          until: z.iso.datetime(),
          usage: z.array(usageRow.extend({ caller })).describe('Most units first'),
          calls: z.array(callRow.extend({ caller })).describe('Most units first'),
          failures: z.array(failureRow).describe('Failed tasks by the code of their error, most first'),
          more: z.boolean().describe('Whether a list was cut off at the limit'),
        }),
        ...refusals(400),
      },
    },
    handler: async (request) => {
      const { limit } = request.query;
      const { from, to, told } = span(request.query, 1);
      if (to - from > MOST_DAYS_OF_ALL * DAY_MS) {
        throw wrong('since', `is more than ${MOST_DAYS_OF_ALL} days before until`, 'ask for each month by itself');
      }
      const { tasks, calls, failures } = await store.usageOfAll(from, to, limit + 1);
      return {
        ...told,
        usage: tasks.slice(0, limit).map(({ subject, ...row }) => ({ caller: subject, ...priced(row) })),
        calls: calls.slice(0, limit).map(({ subject, ...row }) => ({ caller: subject, ...pricedCall(row) })),
        failures: failures.slice(0, limit).map(({ subject, message, ...row }) => ({
          ...{ caller: subject, message: message.slice(0, MESSAGE_LENGTH) },
          ...row,
        })),
        more: [tasks, calls, failures].some(({ length }) => length > limit),
      };
    },
  });
}

const wrong = (field: string, problem: string, hint: string) =>
  ownProblem('invalid_request', `${field} ${problem}`, { errors: [{ field, problem, hint }] });

const usd = (units: number, pack: keyof typeof UNIT_USD) => Math.round(units * UNIT_USD[pack] * 10_000) / 10_000;

function priced<R extends UsageRow>(row: R) {
  const pack = packOf(row.kind);
  return { ...row, pack, usd: usd(row.units, pack) };
}

function pricedCall<R extends CallUsageRow>(row: R) {
  return { ...row, pack: 'video' as const, usd: usd(row.units, 'video') };
}
