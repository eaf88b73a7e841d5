import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Fault, startSandbox } from '@klingapi/sandbox';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { startApiProcess } from '../../../test/api-process.ts';
import type { ServiceProcess } from '../../../test/service-process.ts';
import { taskReplySchema } from './index.ts';

/** The service as a process of its own: what happens when it is killed, and when it is asked to end. */
vi.setConfig({ testTimeout: 60_000 });
const patient = { timeout: 15_000, interval: 20 };

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startChild(env: Record<string, string>): Promise<ServiceProcess> {
  const child = await startApiProcess(env);
  closing.push(child.kill);
  return child;
}

async function sandboxThatFails(fault: Fault | Promise<undefined> | undefined, taskSeconds = 0.05) {
  const seen = { creates: 0 };
  const sandbox = await startSandbox({
    host: '127.0.0.1',
    port: 0,
    taskSeconds,
    fault: (method) => {
      if (method !== 'POST') return undefined;
      seen.creates += 1;
      return seen.creates === 1 ? fault : undefined;
    },
  });
  closing.push(() => sandbox.close());
  const charges = async () =>
    z.object({ tasks: z.number() }).parse(await (await fetch(`${sandbox.url}/sandbox/charges`)).json()).tasks;
  return { sandbox, seen, charges };
}

const json = { 'content-type': 'application/json' };
const create = (url: string, key: string) =>
  fetch(`${url}/api/images/generations`, {
    method: 'POST',
    headers: { ...json, 'idempotency-key': key },
    body: JSON.stringify({ prompt: 'a fox' }),
  });
const wait = (url: string, id: string, timeoutSeconds: number) =>
  fetch(`${url}/api/tasks/${id}/wait`, { method: 'POST', headers: json, body: JSON.stringify({ timeoutSeconds }) });

describe('a process killed while it creates a task', () => {
  it.each([
    ['and the task was made', 'after-create-hang', 1],
    ['and the task was not made', 'timeout', 2],
  ] as const)('%s pays once after its restart', async (_name, fault, creates) => {
    const { sandbox, seen, charges } = await sandboxThatFails(fault);
    const env = { KLING_BASE_URL: sandbox.url, DATA_DIR: mkdtempSync(join(tmpdir(), 'data-')) };
    const first = await startChild(env);
    const broken = create(first.url, 'order-1').then(
      () => 'answered',
      () => 'broken off',
    );
    await vi.waitFor(() => expect(seen.creates).toBe(1), patient);
    first.process.kill('SIGKILL');
    expect(await broken).toBe('broken off');
    await first.exited;

    const second = await startChild(env);
    const again = await create(second.url, 'order-1');
    expect(again.status).toBe(202);
    const { id } = taskReplySchema.parse(await again.json());
    const ended = taskReplySchema.parse(await (await wait(second.url, id, 30)).json());
    expect(ended.status).toBe('succeeded');
    expect(await charges()).toBe(1);
    expect(seen.creates).toBe(creates);
  });
});

describe('a process asked to end', () => {
  it('answers who waits, ends with 0, and its successor follows the task', async () => {
    const { sandbox, charges } = await sandboxThatFails(undefined, 1.5);
    const env = { KLING_BASE_URL: sandbox.url, DATA_DIR: mkdtempSync(join(tmpdir(), 'data-')) };
    const first = await startChild(env);
    expect((await fetch(`${first.managementUrl}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${first.managementUrl}/metrics`)).text()).toContain('klingapi_tasks');
    const { id } = taskReplySchema.parse(await (await create(first.url, 'order-1')).json());
    const waiting = wait(first.url, id, 60);
    // The wait has arrived when a request that came after it on the same server is answered.
    await fetch(`${first.url}/api/health`);
    await vi.waitFor(async () => {
      const text = await (await fetch(`${first.managementUrl}/metrics`)).text();
      expect(text).toMatch(/http_requests_total\{[^}]*route="\/api\/health"/);
    }, patient);

    const before = performance.now();
    first.process.kill('SIGTERM');
    const reply = await waiting;
    expect(reply.status).toBe(200);
    expect(taskReplySchema.parse(await reply.json())).toMatchObject({
      id,
      status: expect.stringMatching(/submitted|processing/),
    });
    expect(await first.exited).toBe(0);
    expect(performance.now() - before).toBeLessThan(5000);
    await expect(fetch(`${first.url}/api/health`)).rejects.toThrow();

    const second = await startChild(env);
    const ended = taskReplySchema.parse(await (await wait(second.url, id, 30)).json());
    expect(ended.status).toBe('succeeded');
    expect(await charges()).toBe(1);
  });
});

describe('a create that runs when the process is asked to end', () => {
  it('is answered before it ends', async () => {
    let letGo = (): void => {};
    const held = new Promise<undefined>((resolve) => {
      letGo = () => resolve(undefined);
    });
    const { sandbox, seen, charges } = await sandboxThatFails(held);
    const env = { KLING_BASE_URL: sandbox.url, DATA_DIR: mkdtempSync(join(tmpdir(), 'data-')) };
    const child = await startChild(env);
    const creating = create(child.url, 'order-1');
    await vi.waitFor(() => expect(seen.creates).toBe(1), patient);
    child.process.kill('SIGTERM');
    await vi.waitFor(
      () => expect(fetch(`${child.managementUrl}/readyz`)).resolves.toMatchObject({ status: 503 }),
      patient,
    );
    letGo();
    const reply = await creating;
    expect([reply.status, reply.headers.get('connection')]).toEqual([202, 'close']);
    expect(await child.exited).toBe(0);
    expect(await charges()).toBe(1);
  });
});

describe('a process with a wrong environment', () => {
  it('does not start, and names everything that is wrong', async () => {
    const failed = startChild({ AUTH: 'callers', KLING_API_KEY: '', KLING_BASE_URL: 'kling' });
    await expect(failed).rejects.toThrow(/ended with 78/);
    const text = await failed.catch(String);
    for (const name of ['KLING_BASE_URL', 'DATA_DIR', 'CALLERS_DIR', 'KLING_API_KEY'])
      expect(text).toContain(`  ${name}: `);
  });

  it('does not open its door when AUTH is forgotten', async () => {
    await expect(startChild({ AUTH: '', KLING_BASE_URL: 'http://x', DATA_DIR: '/nowhere' })).rejects.toThrow(
      /AUTH: required but absent \(one of callers, none\)/,
    );
  });

  it('does not start on a folder that another process works on', async () => {
    const { sandbox } = await sandboxThatFails(undefined);
    const env = { KLING_BASE_URL: sandbox.url, DATA_DIR: mkdtempSync(join(tmpdir(), 'data-')) };
    const first = await startChild(env);
    await expect(startChild(env)).rejects.toThrow(new RegExp(`in use by process ${first.process.pid} on `));
  });
});
