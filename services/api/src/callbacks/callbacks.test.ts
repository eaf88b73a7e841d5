import { mkdtempSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signWebhook, webhookKey } from '@klingapi/kling';
import { createLogger, createRegistry } from '@klingapi/management';
import { type SandboxOptions, startSandbox } from '@klingapi/sandbox';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { type Api, startApi, taskReplySchema } from '../index.ts';

vi.setConfig({ testTimeout: 30_000 });

const SECRET = 'whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI=';
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** The outside: an address that is known before the service behind it is. */
async function door(): Promise<{ url: string; lead(to: Api): void }> {
  let listener: RequestListener = (_request, reply) => void reply.writeHead(503).end();
  const server = createServer((request, reply) => listener(request, reply));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => server.close().closeAllConnections());
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    lead(to) {
      listener = async (request, reply) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk);
        const headers = Object.entries(request.headers).filter(([name]) => /^(webhook-|content-type)/.test(name));
        const answer = await fetch(to.url + request.url?.replace(/^\/studio/, ''), {
          method: 'POST',
          headers: Object.fromEntries(headers) as Record<string, string>,
          body: Buffer.concat(chunks),
        });
        reply.writeHead(answer.status).end(await answer.text());
      };
    },
  };
}

async function start(options: { sandbox?: Partial<SandboxOptions>; secret?: string | undefined } = {}) {
  const asked: string[] = [];
  const sandbox = await startSandbox({
    host: '127.0.0.1',
    port: 0,
    taskSeconds: 0.5,
    webhookSecret: SECRET,
    onRequest: ({ method, route }) => asked.push(`${method} ${route}`),
    ...options.sandbox,
  });
  closing.push(() => sandbox.close());
  const outside = await door();
  const logs: string[] = [];
  const api = await startApi({
    host: '127.0.0.1',
    port: 0,
    storage: { dataDir: mkdtempSync(join(tmpdir(), 'data-')) },
    upstream: { baseUrl: sandbox.url, credentials: { apiKey: 'k' } },
    authentication: { auth: 'none' },
    logger: createLogger({ name: 'api', level: 'info', destination: { write: (line) => logs.push(line) } }),
    registry: createRegistry('api'),
    publicUrl: `${outside.url}/studio`,
    webhookSecret: 'secret' in options ? options.secret : SECRET,
  });
  closing.push(() => api.close());
  outside.lead(api);
  const post = (path: string, body: unknown) =>
    fetch(api.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const create = async () =>
    taskReplySchema.parse(await (await post('/api/images/generations', { prompt: 'x', n: 2 })).json());
  const wait = async (id: string) =>
    taskReplySchema.parse(await (await post(`/api/tasks/${id}/wait`, { timeoutSeconds: 25 })).json());
  /** A message as Kling would send it, or nearly. */
  const send = async (body: string, headers: Record<string, string>) => {
    const reply = await fetch(`${api.url}/callbacks/kling`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    return { status: reply.status, body: z.object({ code: z.string().optional() }).parse(await reply.json()) };
  };
  return { api, sandbox, logs, asked, create, wait, send };
}

const told = (logs: readonly string[]) => logs.filter((line) => line.includes('told by a callback'));
const signed = (body: string, id: string, at = Date.now()) =>
  signWebhook(webhookKey(SECRET), id, Math.floor(at / 1000), body);

describe('callbacks', () => {
  it.each(['legacy', 'new'] as const)(
    'of the %s shape bring a task to its end without any question, once they have proved to come',
    async (shape) => {
      const { create, wait, logs, asked } = await start({ sandbox: { callbackShape: shape } });
      await wait((await create()).id);
      await vi.waitFor(() => expect(told(logs).length).toBeGreaterThan(0), 10_000);
      logs.splice(0);
      asked.splice(0);
      const { id } = await create();
      const ended = await wait(id);
      expect(ended).toMatchObject({ status: 'succeeded', charge: { units: 16 } });
      expect(ended.result).toMatchObject({ images: [{ index: 0 }, { index: 1 }] });
      expect(told(logs).filter((line) => line.includes(id)).length).toBe(2);
      expect(asked).toEqual(['POST /v1/images/generations']);
    },
  );

  it('that are forged, old, changed or repeated are refused and change nothing', async () => {
    const { create, send, wait } = await start({ sandbox: { taskSeconds: 60 } });
    const { id } = await create();
    const body = JSON.stringify({ id: 'u', external_id: id, status: 'failed', message: 'forged' });
    const other = { ...signed(body, 'm1'), 'webhook-signature': 'v1,AAAA' };
    const refused = { status: 401, body: { code: 'callback_refused' } };
    expect(await send(body, {})).toMatchObject(refused);
    expect(await send(body, other)).toMatchObject(refused);
    expect(await send(body, signed(body, 'm1', Date.now() - 400_000))).toMatchObject(refused);
    expect(await send(`${body} `, signed(body, 'm1'))).toMatchObject(refused);
    expect(await send('{}', signed('{}', 'm1'))).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    const unknown = JSON.stringify({ id: 'someone-elses', status: 'failed' });
    expect((await send(unknown, signed(unknown, 'm2'))).status).toBe(200);
    expect(await send(body, signed(body, 'm2'))).toMatchObject({ status: 409, body: { code: 'callback_repeated' } });
    const progress = JSON.stringify({ id: 'u', external_id: id, status: 'processing' });
    expect((await send(progress, signed(progress, 'm3'))).status).toBe(200);
    // A late message of an earlier status.
    const late = JSON.stringify({ task_id: 'u', task_status: 'submitted', task_info: { external_task_id: id } });
    expect((await send(late, signed(late, 'm4'))).status).toBe(200);
    const { api } = await startedAgain();
    expect((await fetch(`${api.url}/callbacks/kling`, { method: 'POST' })).status).toBe(404);
    expect((await send(body, signed(body, 'm5'))).status).toBe(200);
    expect(await wait(id)).toMatchObject({ status: 'failed', error: { message: 'forged' } });
  });

  it('that do not come are replaced by asking', async () => {
    const { create, wait, asked } = await start({ secret: undefined });
    const { id } = await create();
    expect(await wait(id)).toMatchObject({ status: 'succeeded' });
    expect(asked.some((call) => call.startsWith('GET '))).toBe(true);
  });
});

/** Without a secret there is no such route: an unsigned message is worth nothing. */
async function startedAgain() {
  return await start({ secret: undefined });
}
