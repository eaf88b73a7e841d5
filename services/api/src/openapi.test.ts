import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createRegistry } from '@klingapi/management';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startApi } from './index.ts';

const responseSchema = z.looseObject({
  description: z.string().min(1),
  content: z.record(z.string(), z.unknown()).optional(),
});
const operationSchema = z.looseObject({
  operationId: z.string(),
  summary: z.string().min(1),
  tags: z.array(z.string()).length(1),
  security: z.array(z.unknown()),
  responses: z.record(z.string(), responseSchema),
  requestBody: z
    .object({ content: z.record(z.string(), z.looseObject({ example: z.unknown().optional() })) })
    .loose()
    .optional(),
});
const documentSchema = z.looseObject({
  openapi: z.literal('3.1.0'),
  tags: z.array(z.object({ name: z.string(), description: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
});

async function documentOf(auth: 'callers' | 'none') {
  const api = await startApi({
    ...{ host: '127.0.0.1', port: 0, storage: { dataDir: mkdtempSync(join(tmpdir(), 'data-')) } },
    upstream: { baseUrl: 'http://127.0.0.1:1', credentials: { apiKey: 'k' } },
    authentication: { auth, callersDir: mkdtempSync(join(tmpdir(), 'callers-')) },
    logger: createLogger({ name: 'api', level: 'silent' }),
    registry: createRegistry('api'),
  });
  try {
    return JSON.parse(await (await fetch(`${api.url}/docs/json`)).text());
  } finally {
    await api.close();
  }
}

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1, also to a validator of other people', async () => {
    const judged = await new Validator().validate(await documentOf('callers'));
    expect(judged.errors).toBeUndefined();
    expect(judged.valid).toBe(true);
  });

  it('names, groups and explains every operation, and shows a body wherever one is needed', async () => {
    const { paths, tags } = documentSchema.parse(await documentOf('callers'));
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, ...operation })),
    );
    expect(operations.length).toBeGreaterThan(140);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    const known = tags.map(({ name }) => name);
    expect(operations.filter((operation) => !operation.tags.every((tag) => known.includes(tag)))).toEqual([]);
    for (const { name, path, security, responses, requestBody } of operations) {
      const isOpen = /^\/(api\/health|docs|uploads)/.test(path);
      expect(security.length, name).toBe(isOpen ? 0 : 1);
      if (isOpen) continue;
      for (const status of ['401', '403', '500', '503']) expect(Object.keys(responses), name).toContain(status);
      // Each refusal has a shape: ours, or that of Kling on its own paths.
      for (const [status, { content = {} }] of Object.entries(responses).filter(([code]) => Number(code) >= 400)) {
        const type = path.startsWith('/api/') ? 'application/problem+json' : 'application/json';
        expect(Object.keys(content), `${name} ${status}`).toEqual([type]);
      }
      const isList = ['post /tasks', 'post /solutions', 'post /api/tasks/{id}/wait', 'post /api/uploads'].includes(
        name,
      );
      if (requestBody !== undefined && !isList) {
        for (const { example } of Object.values(requestBody.content)) expect(example, name).toBeDefined();
      }
    }
  });

  it('says that no credentials are needed where that is so', async () => {
    const { paths } = documentSchema.parse(await documentOf('none'));
    expect(paths['/api/models']?.['get']?.security).toEqual([{ bearer: [] }, {}]);
  });
});
