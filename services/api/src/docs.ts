import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { App } from './context.ts';
import { renderDocs, SCRIPT, STYLE } from './docs-page.ts';
import { media } from './documented-replies.ts';

/**
 * `/docs` for people, `/docs/json` for programs (OpenAPI 3.1), both without a
 * key. The page is one reply without other files: the whole service is one
 * bundled file, and nothing from another host belongs on a page that takes keys.
 */
export function addDocs(app: App): void {
  const policy = [
    "default-src 'none'",
    `style-src '${hash(STYLE)}'`,
    `script-src '${hash(SCRIPT)}'`,
    "connect-src 'self'",
    "img-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

  const common = { tags: ['docs'], security: [] };
  const json = {
    ...common,
    operationId: 'getOpenApi',
    summary: 'This document',
    response: { 200: z.looseObject({ openapi: z.string() }) },
  };
  const page = {
    ...common,
    operationId: 'getDocs',
    summary: 'The same as a page for people',
    response: { 200: media('The page', 'text/html') },
  };
  app.get('/docs/json', { config: { load: 'vital' }, schema: json }, async (_request, reply) => {
    return await reply.send(z.looseObject({ openapi: z.string() }).parse(app.swagger()));
  });
  app.get('/docs', { config: { load: 'vital' }, schema: page }, async (_request, reply) => {
    const document = documentSchema.parse(app.swagger());
    return await reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', policy)
      .serializer((page: unknown) => String(page))
      .send(renderDocs(document));
  });
}

const propertySchema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  default: z.unknown().optional(),
  description: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
});
const bodySchema = z.looseObject({
  properties: z.record(z.string(), propertySchema).default({}),
  required: z.array(z.string()).default([]),
});

/** As much of OpenAPI as the page shows. */
export const documentSchema = z.object({
  info: z.object({ title: z.string(), version: z.string() }),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        summary: z.string().default(''),
        security: z.array(z.unknown()).optional(),
        requestBody: z
          .object({ content: z.record(z.string(), z.object({ schema: z.unknown() })) })
          .optional()
          .transform((body) => {
            if (body === undefined) return undefined;
            const schema = bodySchema.safeParse(body.content['application/json']?.schema);
            const fields = schema.success ? schema.data : { properties: {}, required: [] };
            return { ...fields, isFile: !('application/json' in body.content) };
          }),
      }),
    ),
  ),
});
export type DocsDocument = z.output<typeof documentSchema>;

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
