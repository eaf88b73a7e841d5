import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyWebhook, webhookKey } from '@klingapi/kling';
import { createLogger, createRegistry } from '@klingapi/management';
import { startSandbox } from '@klingapi/sandbox';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startApi, taskReplySchema } from '../index.ts';
import { tryAgainAfter } from './notifier.ts';

vi.setConfig({ testTimeout: 30_000 });
const closing: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const open of closing.splice(0).reverse()) await open.close();
});

interface Message {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver that answers what the script says, and the service that is to tell it. */
async function start(answers: number[]) {
  const messages: Message[] = [];
  const receiver = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    messages.push({ headers: request.headers, body });
    response.writeHead(answers.shift() ?? 200).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  closing.push({ close: () => void receiver.close().closeAllConnections() });
  const address = receiver.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const callback = `http://127.0.0.1:${address.port}/told`;
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 0.3 });
  closing.push(sandbox);
  const api = await startApi({
    ...{ host: '127.0.0.1', port: 0, storage: { dataDir: mkdtempSync(join(tmpdir(), 'data-')) }, retryMs: 20 },
    upstream: { baseUrl: sandbox.url, credentials: { apiKey: 'upstream-secret' } },
    authentication: { auth: 'none', internalKey: randomBytes(32).toString('hex') },
    logger: createLogger({ name: 'api', level: 'silent' }),
    registry: createRegistry('api'),
    trusted: [callback],
  });
  closing.push(api);
  const post = async (body: unknown) => {
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    const reply = await fetch(`${api.url}/api/images/generations`, init);
    return { status: reply.status, body: JSON.parse(await reply.text()) };
  };
  const { secret } = JSON.parse(await (await fetch(`${api.url}/api/callback-secret`)).text());
  return { api, messages, callback, post, key: webhookKey(secret) };
}
const statusOf = ({ body }: Message) => taskReplySchema.parse(JSON.parse(body)).status;

describe('a caller who wants to be told', () => {
  it('gets signed messages up to the end of the task, again after a failure under the same id', async () => {
    const { messages, callback, post, key } = await start([500, 500]);
    expect((await post({ prompt: 'x', callback_url: callback })).status).toBe(202);
    await expect.poll(() => messages.map(statusOf), { timeout: 15_000 }).toContain('succeeded');
    for (const { headers, body } of messages) expect(verifyWebhook(key, headers, body, Date.now())).toBeUndefined();
    const bySameBody = Map.groupBy(messages, ({ body }) => body);
    for (const same of bySameBody.values()) {
      expect(new Set(same.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    }
    expect(messages.length).toBeGreaterThan(2);
    const [first] = messages;
    expect(verifyWebhook(key, first!.headers, `${first!.body} `, Date.now())).toBe('the signature is wrong');
  });

  it.each(['http://10.0.0.1/x', 'http://localhost/x', 'http://[::1]/x', 'https://u:p@example.com/'])(
    'is refused at %s, before anything is made',
    async (callback_url) => {
      const { post } = await start([]);
      expect(await post({ prompt: 'x', callback_url })).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'callback_url' }] },
      });
    },
  );
});

it('tries come back later and later, and end after more than a day', () => {
  const delays: number[] = [];
  for (let failures = 1; ; failures += 1) {
    const delay = tryAgainAfter(failures);
    if (delay === null) break;
    delays.push(delay);
  }
  expect(delays).toEqual([...delays].sort((a, b) => a - b));
  const sum = delays.reduce((all, each) => all + each, 0);
  expect(sum).toBeGreaterThan(24 * 3_600_000);
  expect(sum).toBeLessThan(36 * 3_600_000);
});
