import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { App } from './context.ts';

const TAGS = {
  create: 'Make a task of each kind',
  tasks: 'Follow tasks and fetch their results',
  catalogue: 'Models, prices and use',
  calls: 'What Kling answers at once, without a task',
  callbacks: 'Messages to callers',
  uploads: 'Local files in, addresses for requests out',
  health: 'Whether the service is up',
  docs: 'This document',
  'Kling-compatible': 'Every path of Kling’s own interface, in its words, envelope and codes',
} as const;

/** `create`, `text-to-image`: `createTextToImage`. */
export function operationId(verb: string, name: string): string {
  return verb + name.replace(/(?:^|-)([a-z0-9])/g, (_all, first: string) => first.toUpperCase());
}

/**
 * The OpenAPI 3.1 document of all routes that come after; see `/docs/json`.
 * @param guarded whether routes that take credentials need them
 */
export async function addOpenApi(app: App, version: string, guarded: boolean): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Kling API service',
        version,
        description:
          'Makes pictures, videos and sounds with Kling. A create answers with a task at once; errors are RFC 9457 with a stable `code`, except on the Kling-compatible paths, which answer as Kling does.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      // Relative: the address is whatever the document was fetched from.
      servers: [{ url: '/' }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'Key of a caller' } } },
    },
    transform,
    transformObject: (document) => {
      const whole = jsonSchemaTransformObject(document);
      return 'paths' in whole ? { ...whole, ...finished(whole, guarded) } : whole;
    },
  });
}

declare module 'fastify' {
  interface FastifySchema {
    /** One body that is right; the provider forgets those of bodies that are changed as they come in. */
    readonly bodyExample?: unknown;
  }
}

/** Headers of replies are plain JSON schemas, which the provider leaves out. */
const transform: typeof jsonSchemaTransform = (document) => {
  const { bodyExample, ...given } = { ...document.schema };
  const told = jsonSchemaTransform({ ...document, schema: given });
  const body = z.looseObject({}).safeParse(told.schema.body).data;
  if (body !== undefined && bodyExample !== undefined) told.schema.body = { ...body, examples: [bodyExample] };
  const replies = replySchema.safeParse(document.schema?.response).data ?? {};
  const response = z.record(z.string(), z.looseObject({})).safeParse(told.schema.response).data;
  if (response === undefined) return told;
  for (const [status, { headers }] of Object.entries(replies)) {
    const reply = response[status];
    if (headers !== undefined && reply !== undefined) reply['headers'] = headers;
  }
  return { ...told, schema: { ...told.schema, response } };
};
const replySchema = z.record(z.string(), z.object({ headers: z.looseObject({}).optional() }));

const bodySchema = z.looseObject({
  required: z.boolean(),
  content: z.record(
    z.string(),
    z.looseObject({ schema: z.looseObject({ anyOf: z.array(z.looseObject({})).optional() }) }),
  ),
});
const documentSchema = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({ requestBody: bodySchema.optional(), security: z.array(z.looseObject({})).optional() }),
    ),
  ),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
});

/** A body that may be null may be left out; and no schema is told that nothing refers to. */
function finished(whole: object, guarded: boolean): object {
  const { paths, components } = documentSchema.parse(whole);
  for (const { requestBody, security } of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    if (!guarded && security?.length !== 0) security?.push({});
    for (const media of Object.values(requestBody?.content ?? {})) {
      if (requestBody !== undefined && media.schema.anyOf?.some(({ type }) => type === 'null') === true) {
        requestBody.required = false;
      }
    }
  }
  const text = JSON.stringify(paths);
  const schemas = Object.entries(components.schemas).filter(
    ([name]) => text.includes(`"#/components/schemas/${name}"`) || !name.endsWith('Input'),
  );
  return { paths, components: { ...components, schemas: Object.fromEntries(schemas) } };
}
