import { createServer, type Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createApiClient } from './api-client.ts';
import { waitForTask } from './tools/wait.ts';

it('keeps all waits through an outage of some seconds', { timeout: 60_000 }, async () => {
  const start = async (port: number, waitMs: number, status: string): Promise<Server> => {
    const server = createServer((request, response) => {
      const answer = () =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ id: '1', kind: 'text-to-image', status, createdAt: '2026-11-24T10:00:00.000Z' }));
      if (request.url?.endsWith('/wait')) setTimeout(answer, waitMs).unref();
      else answer();
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return server;
  };
  const stop = async (server: Server) => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  const first = await start(0, 20_000, 'processing');
  const address = first.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const api = createApiClient({ url: `http://127.0.0.1:${port}`, internalKey: undefined });
  const call = { subject: 'a', scopes: ['read'] as const, signal: new AbortController().signal };
  let begun = 0;
  const waits = Array.from({ length: 20 }, () =>
    waitForTask(api, call, {
      taskId: '1',
      timeoutSeconds: 50,
      progressSeconds: 20,
      now: () => performance.now(),
      progress: async () => {
        begun += 1;
      },
      stopping: new AbortController().signal,
    }),
  );
  await expect.poll(() => begun, { timeout: 10_000 }).toBeGreaterThanOrEqual(20);
  await stop(first);
  const down = performance.now();
  // somebody who only asks finds the circuit open
  const ask = () =>
    api.task(call, '1').then(
      (task) => task.status,
      (error: Error) => error.message,
    );
  await expect.poll(ask, { timeout: 10_000 }).toContain('was not asked again');
  expect(api.isDown()).toBe(true);
  await pause(Math.max(0, 5_000 - (performance.now() - down)));

  // whoever waits is answered late, which must keep nobody else from being let through
  const second = await start(port, 8_000, 'succeeded');
  expect((await Promise.all(waits)).map((task) => task.status)).toEqual(Array(20).fill('succeeded'));
  await expect.poll(ask, { timeout: 10_000 }).toBe('succeeded');
  expect(api.isDown()).toBe(false);
  await api.close();
  await stop(second);
});
