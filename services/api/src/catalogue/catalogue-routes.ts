import { EXAMPLES, estimate, impossible, KINDS, kindSchema, MODELS, REQUESTS, UNIT_USD } from '@klingapi/kling';
import { z } from 'zod';
import { bearer, requireScope, subjectOf } from '../access.ts';
import type { App, Context } from '../context.ts';
import { ownProblem, problemSchema } from '../problem.ts';
import { packOf } from './packs.ts';

const refusal = { description: 'Refused', content: { 'application/problem+json': { schema: problemSchema } } };
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

export function addCatalogueRoutes(app: App, { store, authenticate, now }: Context): void {
  const onRequest = requireScope(authenticate, 'read');
  const common = { tags: ['catalogue'], security: bearer };

  app.route({
    method: 'GET',
    url: '/api/models',
    onRequest,
    schema: {
      ...common,
      summary: 'Every kind of task with the models that are known; others are sent on unjudged',
      response: {
        200: z.object({
          kinds: z.array(
            z.object({
              kind: kindSchema,
              models: z.array(modelSchema),
              example: z.record(z.string(), z.unknown()),
            }),
          ),
        }),
        '4xx': refusal,
      },
    },
    handler: () =>
      Promise.resolve({
        kinds: KINDS.map((kind) => ({
          kind,
          models: MODELS[kind].map((model) => modelSchema.parse(model)),
          example: { ...EXAMPLES[kind] },
        })),
      }),
  });

  app.route({
    method: 'POST',
    url: '/api/estimate',
    onRequest,
    schema: {
      ...common,
      summary: 'What a request would cost and why it could not succeed, without making anything',
      body: z.object({ kind: kindSchema, request: z.record(z.string(), z.unknown()) }),
      response: {
        200: z.object({
          possible: z.boolean(),
          errors: z.array(z.object({ field: z.string(), problem: z.string(), hint: z.string() })),
          estimate: priceSchema.optional().describe('Absent where no price is known'),
        }),
        '4xx': refusal,
      },
    },
    handler: (request) => {
      const { kind } = request.body;
      const parsed = REQUESTS[kind].safeParse(request.body.request);
      if (!parsed.success) {
        const errors = parsed.error.issues.map(({ path, message }) => ({
          field: path.join('.') || 'request',
          problem: message,
          hint: 'see /docs for what this takes',
        }));
        return Promise.resolve({ possible: false, errors });
      }
      const errors = impossible(kind, parsed.data);
      const price = estimate(kind, parsed.data);
      return Promise.resolve({
        possible: errors.length === 0,
        errors,
        ...(price === undefined ? {} : { estimate: { ...price } }),
      });
    },
  });

  app.route({
    method: 'GET',
    url: '/api/usage',
    onRequest,
    schema: {
      ...common,
      summary: 'What the tasks of the caller came to',
      querystring: z.object({
        since: z.iso.datetime({ offset: true }).optional().describe('30 days ago without it'),
        until: z.iso.datetime({ offset: true }).optional(),
      }),
      response: {
        200: z.object({ since: z.iso.datetime(), until: z.iso.datetime(), usage: z.array(usageRow) }),
        '4xx': refusal,
      },
    },
    handler: async (request) => {
      const { since, until } = request.query;
      // The task of this very millisecond belongs to it.
      const to = until === undefined ? now() + 1 : Date.parse(until);
      const from = since === undefined ? to - 30 * DAY_MS : Date.parse(since);
      if (from > to) {
        const errors = [{ field: 'since', problem: 'is later than until', hint: 'swap them' }];
        throw ownProblem('invalid_request', 'since is later than until', { errors });
      }
      const rows = await store.usage(subjectOf(request), from, to);
      return {
        since: new Date(from).toISOString(),
        until: new Date(to).toISOString(),
        usage: rows.map((row) => {
          const pack = packOf(row.kind);
          return { ...row, pack, usd: Math.round(row.units * UNIT_USD[pack] * 10_000) / 10_000 };
        }),
      };
    },
  });
}
