import { mkdtempSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox } from '@klingapi/sandbox';
import { afterEach, expect, it, vi } from 'vitest';
import { startApiProcess } from '../../../test/api-process.ts';
import { problemSchema, taskReplySchema } from './index.ts';

vi.setConfig({ testTimeout: 60_000 });
const patient = { timeout: 20_000, interval: 20 };
const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** One connection of a client, and everything that came over it. */
function open(url: string): { socket: Socket; text: () => string; ended: Promise<void>; send: (head: string) => void } {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.setEncoding('utf8').on('data', (data: string) => {
    text += data;
  });
  socket.on('error', () => {});
  closing.push(() => void socket.destroy());
  return {
    socket,
    text: () => text,
    ended: new Promise((resolve) => socket.once('close', () => resolve())),
    send: (head) => socket.write(`${head} HTTP/1.1\r\nhost: localhost\r\n\r\n`),
  };
}

it('a process asked to end finishes what it has begun, tells all who wait, and closes every connection', async () => {
  let letGo = (): void => {};
  const held = new Promise<undefined>((resolve) => {
    letGo = () => resolve(undefined);
  });
  const seen = { creates: 0 };
  const sandbox = await startSandbox({
    ...{ host: '127.0.0.1', port: 0, taskSeconds: 60 },
    fault: (method) => {
      if (method !== 'POST') return undefined;
      seen.creates += 1;
      return seen.creates === 1 ? undefined : held;
    },
  });
  closing.push(sandbox.close);
  const child = await startApiProcess({
    KLING_BASE_URL: sandbox.url,
    DATA_DIR: mkdtempSync(join(tmpdir(), 'data-')),
    DRAIN_SECONDS: '40',
  });
  closing.push(child.kill);
  const create = () =>
    fetch(`${child.url}/api/images/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'a fox' }),
    });
  const { id } = taskReplySchema.parse(await (await create()).json());

  const silent = open(child.url);
  const kept = open(child.url);
  kept.send('GET /api/health');
  const stream = open(child.url);
  stream.send(`GET /api/tasks/${id}/events`);
  const waiting = open(child.url);
  waiting.socket.write(
    `POST /api/tasks/${id}/wait HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 22\r\n\r\n{"timeoutSeconds":300}`,
  );
  const begun = create();
  // A request whose head alone is here when the end is asked for.
  const late = open(child.url);
  late.socket.write(
    'POST /api/images/generations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n',
  );
  await vi.waitFor(() => {
    expect(seen.creates).toBe(2);
    expect(kept.text()).toContain('"ok"');
    expect(stream.text()).toContain('event: task');
  }, patient);
  await vi.waitFor(async () => {
    const metrics = await (await fetch(`${child.managementUrl}/metrics`)).text();
    expect(metrics).toContain('klingapi_requests_in_flight{class="wait",app="api"} 2');
    expect(metrics).toContain('klingapi_requests_in_flight{class="work",app="api"} 2');
  }, patient);

  child.process.kill('SIGTERM');
  await vi.waitFor(async () => {
    expect((await fetch(`${child.managementUrl}/readyz`)).status).toBe(503);
  }, patient);
  // While the create is still at Kling: those who carry nothing, or only wait, are gone.
  await Promise.all([silent.ended, kept.ended, stream.ended, waiting.ended]);
  expect(stream.text()).toMatch(/: still here\r?\n\r?\n/);
  expect(waiting.text()).toMatch(/^HTTP\/1.1 200 [\s\S]*connection: close/i);
  expect(waiting.text()).toContain(`"id":"${id}"`);
  late.socket.write('{"prompt":"fox"}');
  await late.ended;
  expect(late.text()).toMatch(/^HTTP\/1.1 503 [\s\S]*retry-after: 1/i);
  expect(problemSchema.parse(JSON.parse(late.text().split('\r\n\r\n')[1] ?? ''))).toMatchObject({ code: 'draining' });
  expect((await fetch(`${child.managementUrl}/livez`)).status).toBe(200);

  letGo();
  const reply = await begun;
  expect([reply.status, reply.headers.get('connection')]).toEqual([202, 'close']);
  expect(await child.exited).toBe(0);
  expect(seen.creates).toBe(2);
});
