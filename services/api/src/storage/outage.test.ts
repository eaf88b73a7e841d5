import { createLogger, createRegistry } from '@klingapi/management';
import { startSandbox } from '@klingapi/sandbox';
import { afterEach, expect, it, vi } from 'vitest';
import { startPostgres } from '../../../../test/postgres/server.ts';
import { problemSchema, startApi, taskReplySchema } from '../index.ts';
import { isOutage } from './outage.ts';

vi.setConfig({ testTimeout: 300_000 });

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

it('a database that crashes and comes back costs neither the process nor a task', async () => {
  const postgres = await startPostgres();
  closing.push(() => postgres.stop());
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 1 });
  closing.push(() => sandbox.close());
  const api = await startApi({
    host: '127.0.0.1',
    port: 0,
    storage: { url: await postgres.createDatabase() },
    upstream: { baseUrl: sandbox.url, credentials: { apiKey: 'k' } },
    authentication: { auth: 'none' },
    logger: createLogger({ name: 'api', level: 'silent' }),
    registry: createRegistry('api'),
    leaseMs: 2000,
    retryMs: 50,
  });
  closing.push(() => api.close());
  const post = (path: string, body: unknown) =>
    fetch(api.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const { id } = taskReplySchema.parse(await (await post('/api/images/generations', { prompt: 'x' })).json());

  await postgres.crash();
  await expect(api.ping()).rejects.toThrow();
  const refused = await post('/api/images/generations', { prompt: 'y' });
  expect(problemSchema.parse(await refused.json())).toMatchObject({ status: 503, code: 'storage_unavailable' });
  expect(refused.headers.get('retry-after')).toBe('5');

  await postgres.resume();
  await vi.waitFor(() => api.ping(), 20_000);
  const waited = await post(`/api/tasks/${id}/wait`, { timeoutSeconds: 60 });
  expect(taskReplySchema.parse(await waited.json())).toMatchObject({ id, status: 'succeeded' });
  const again = await post('/api/images/generations', { prompt: 'y' });
  expect(again.status).toBe(202);
});

it('an error of our own is no outage', () => {
  expect(isOutage(new Error('duplicate key'))).toBe(false);
  expect(isOutage(Object.assign(new Error('x'), { code: '23505' }))).toBe(false);
  expect(isOutage(Object.assign(new Error('x'), { code: '57P01' }))).toBe(true);
});
