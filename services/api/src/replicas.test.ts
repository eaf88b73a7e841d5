import { createLogger, createRegistry } from '@klingapi/management';
import { type SandboxOptions, startSandbox } from '@klingapi/sandbox';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { runReplicas } from '../../../test/chaos/replicas.ts';
import { type Postgres, startPostgres } from '../../../test/postgres/server.ts';
import { startApi, taskReplySchema } from './index.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Two replicas in this process, and what Kling was asked. */
async function startTwo(options: { sandbox?: Partial<SandboxOptions>; concurrency?: number } = {}) {
  const asked: string[] = [];
  const sandbox = await startSandbox({
    host: '127.0.0.1',
    port: 0,
    taskSeconds: 1,
    onRequest: ({ method, route }) => asked.push(`${method} ${route}`),
    ...options.sandbox,
  });
  closing.push(() => sandbox.close());
  const url = await postgres.createDatabase();
  const start = async () => {
    const api = await startApi({
      host: '127.0.0.1',
      port: 0,
      storage: { url },
      upstream: { baseUrl: sandbox.url, credentials: { apiKey: 'k' } },
      authentication: { auth: 'none' },
      logger: createLogger({ name: 'api', level: 'silent' }),
      registry: createRegistry('api'),
      concurrency: options.concurrency,
    });
    closing.push(() => api.close());
    const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
      const reply = await fetch(api.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
      return taskReplySchema.parse(await reply.json());
    };
    const create = (key: string) => post('/api/images/generations', { prompt: 'x' }, { 'idempotency-key': key });
    const wait = (id: string) => post(`/api/tasks/${id}/wait`, { timeoutSeconds: 60 });
    return { api, create, wait };
  };
  return { sandbox, asked, a: await start(), b: await start() };
}

describe('two replicas', () => {
  it('know each other by what they tell of a task: a stream on one follows what the other does', async () => {
    const { a, b } = await startTwo();
    const { id } = await a.create('k');
    const reply = await fetch(`${b.api.url}/api/tasks/${id}/events`);
    const told = [...(await reply.text()).matchAll(/^data: (.*)$/gm)].map(
      ([, data]) => taskReplySchema.parse(JSON.parse(data!)).status,
    );
    expect(told).toEqual(['submitted', 'processing', 'succeeded']);
  });

  it('make one task of one key that comes to both at once', async () => {
    const { a, b, asked } = await startTwo();
    const tasks = await Promise.all([a, b, a, b].map((replica) => replica.create('k')));
    expect(new Set(tasks.map((task) => task.id)).size).toBe(1);
    expect(asked.filter((call) => call.startsWith('POST')).length).toBe(1);
  });

  it('hand over what waits when one of them ends', async () => {
    const { a, b } = await startTwo({ concurrency: 1 });
    const tasks = [await a.create('1'), await a.create('2'), await a.create('3')];
    await a.api.close();
    for (const { id } of tasks) expect(await b.wait(id)).toMatchObject({ status: 'succeeded' });
  });

  it('ask Kling for many tasks at once, however many callers wait', async () => {
    const { a, b, asked } = await startTwo({ sandbox: { taskSeconds: 4 } });
    const tasks = await Promise.all(Array.from({ length: 200 }, (_, at) => (at % 2 === 0 ? a : b).create(`k${at}`)));
    const waiting = tasks.flatMap(({ id }) => [a.wait(id), b.wait(id)]);
    for (const task of await Promise.all(waiting)) expect(task.status).toBe('succeeded');
    // Each is asked for some 15 times in its life: 3000 questions, or 150 full batches.
    const questions = asked.filter((call) => call.startsWith('GET'));
    expect(questions.length).toBeLessThan(300);
    expect(questions.filter((call) => call !== 'GET /tasks').length).toBeLessThan(60);
  });
});

it('three replicas that are killed at random lose no task and pay none twice, within the limit', async () => {
  const report = await runReplicas({ seconds: 10, replicas: 3, concurrency: 6, clients: 8, killEveryMs: 1000 });
  expect(report).toMatchObject({ keysWithSeveralTasks: 0, chargedTwice: 0, busy: 0 });
  expect(report.succeeded).toBe(report.wanted);
  expect(report.charged).toBe(report.wanted);
  expect(report.most).toBeLessThanOrEqual(6);
  // The proof is of something only when enough happened.
  expect(report.kills).toBeGreaterThanOrEqual(5);
  expect(report.wanted).toBeGreaterThanOrEqual(20);
  expect(report.takeovers).toBeGreaterThan(0);
  expect(report.foreignWaits).toBeGreaterThan(0);
});
