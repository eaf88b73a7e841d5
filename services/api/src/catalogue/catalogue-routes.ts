import { createHash } from 'node:crypto';
import { EXAMPLES, estimate, impossible, KINDS, kindSchema, MODELS, REQUESTS, UNIT_USD } from '@klingapi/kling';
import { z } from 'zod';
import { bearer, requireScope, subjectOf } from '../access.ts';
import type { App, Context } from '../context.ts';
import { refusals } from '../documented-replies.ts';
import { ownProblem } from '../problem.ts';
import { matches } from '../results/range.ts';
import { time } from '../time.ts';
import { mediaProblems } from '../uploads/references.ts';
import { packOf } from './packs.ts';

const DAY_MS = 24 * 3_600_000;

const modelSchema = z.object({
  id: z.string(),
  seconds: z.string().optional(),
  lengths: z.array(z.number()).optional(),
  resolutions: z.array(z.string()),
  audio: z.enum(['never', 'choice', 'always']).optional(),
  audioOnlyIn: z.array(z.string()).optional(),
  lastFrame: z.boolean().optional(),
  lastFrameOnlyIn: z.array(z.string()).optional(),
  multiShot: z.boolean().optional(),
  elements: z.number().optional(),
  voices: z.number().optional(),
  referenceVideo: z.boolean().optional(),
  cfgScale: z.boolean().optional(),
  imageReference: z.boolean().optional(),
  note: z.string().optional(),
});
const catalogueSchema = z.object({
  kinds: z.array(
    z.object({
      kind: kindSchema,
      models: z.array(modelSchema),
      example: z.record(z.string(), z.unknown()),
    }),
  ),
});
const priceSchema = z.object({
  units: z.number(),
  pack: z.enum(['video', 'image']),
  usd: z.number().describe('At list price'),
  basis: z.string(),
  per: z.enum(['second', '5 seconds']).optional().describe('Then it is the price of one of these'),
});
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
const usd = (units: number, pack: keyof typeof UNIT_USD) => Math.round(units * UNIT_USD[pack] * 10_000) / 10_000;

export function addCatalogueRoutes(app: App, context: Context): void {
  const { store, authenticate, now } = context;
  const onRequest = requireScope(authenticate, 'read');
  const common = { tags: ['catalogue'], security: bearer };
  // The same for everybody, until the next release.
  const catalogue = {
    kinds: KINDS.map((kind) => ({
      kind,
      models: MODELS[kind].map((model) => modelSchema.parse(model)),
      example: { ...EXAMPLES[kind] },
    })),
  };
  const etag = `"${createHash('sha256').update(JSON.stringify(catalogue)).digest('base64url').slice(0, 22)}"`;

  app.route({
    method: 'GET',
    url: '/api/models',
    onRequest,
    schema: {
      ...common,
      operationId: 'listModels',
      summary: 'Every kind of task with the models that are known; others are sent on unjudged',
      response: {
        200: {
          description: 'All kinds; to be kept for some minutes, and then asked for with its ETag',
          headers: { etag: { type: 'string' }, 'cache-control': { type: 'string' } },
          content: { 'application/json': { schema: catalogueSchema } },
        },
        304: z.null().describe('The ETag of the request is still good'),
        ...refusals(),
      },
    },
    handler: async (request, reply) => {
      void reply
        .header('etag', etag)
        .header('cache-control', 'private, max-age=300')
        // A key that is not good any longer shall be told so, whatever was kept for another.
        .header('vary', 'Authorization, Origin');
      if (matches(request.headers['if-none-match'], etag)) return await reply.code(304).send(null);
      return catalogue;
    },
  });

  app.route({
    method: 'POST',
    url: '/api/estimate',
    onRequest,
    schema: {
      ...common,
      operationId: 'estimate',
      summary: 'What a request would cost and why it could not succeed, without making anything',
      body: z.object({ kind: kindSchema, request: z.record(z.string(), z.unknown()) }),
      bodyExample: { kind: 'text-to-video', request: { ...EXAMPLES['text-to-video'] } },
      response: {
        200: z.object({
          possible: z.boolean(),
          errors: z.array(z.object({ field: z.string(), problem: z.string(), hint: z.string() })),
          estimate: priceSchema.optional().describe('Absent where no price is known'),
        }),
        ...refusals(400, 413, 415),
      },
    },
    handler: async (request) => {
      const { kind } = request.body;
      const parsed = REQUESTS[kind].safeParse(request.body.request);
      if (!parsed.success) {
        const errors = parsed.error.issues.map(({ path, message }) => ({
          field: path.join('.') || 'request',
          problem: message,
          hint: 'see /docs for what this takes',
        }));
        return { possible: false, errors };
      }
      const media = await mediaProblems(context, subjectOf(request), kind, parsed.data);
      const errors = [...media, ...impossible(kind, parsed.data)];
      const price = estimate(kind, parsed.data);
      return {
        possible: errors.length === 0,
        errors,
        ...(price === undefined ? {} : { estimate: { ...price } }),
      };
    },
  });

  app.route({
    method: 'GET',
    url: '/api/usage',
    onRequest,
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
      const { since, until } = request.query;
      // The task of this very millisecond belongs to it.
      const to = until ?? now() + 1;
      const from = since ?? Math.max(0, to - 30 * DAY_MS);
      if (from > to) {
        const errors = [{ field: 'since', problem: 'is later than until', hint: 'swap them' }];
        throw ownProblem('invalid_request', 'since is later than until', { errors });
      }
      const subject = subjectOf(request);
      const rows = await store.usage(subject, from, to);
      const calls = await store.callUsage(subject, from, to);
      return {
        since: new Date(from).toISOString(),
        until: new Date(to).toISOString(),
        usage: rows.map((row) => {
          const pack = packOf(row.kind);
          return { ...row, pack, usd: usd(row.units, pack) };
        }),
        calls: calls.map((row) => ({ ...row, pack: 'video' as const, usd: usd(row.units, 'video') })),
      };
    },
  });
}
