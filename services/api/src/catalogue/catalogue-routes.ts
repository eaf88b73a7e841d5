import { createHash } from 'node:crypto';
import { EXAMPLES, estimate, impossible, KINDS, kindSchema, MODELS, REQUESTS } from '@klingapi/kling';
import { z } from 'zod';
import { bearer, requireScope, subjectOf } from '../access.ts';
import type { App, Context } from '../context.ts';
import { refusals } from '../documented-replies.ts';
import { matches } from '../results/range.ts';
import { mediaProblems } from '../uploads/references.ts';

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

export function addCatalogueRoutes(app: App, context: Context): void {
  const onRequest = requireScope(context.authenticate, 'read');
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
}
