import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { verifyWebhook, webhookKey } from '@klingapi/kling';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startHarness } from './harness.ts';

vi.setConfig({ testTimeout: 30_000 });
const patient = { timeout: 15_000, interval: 10 };
const SECRET = 'whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI=';
const NEXT = 'whsec_bmV4dHNlY3JldG5leHRzZWNyZXRuZXh0c2VjcmV0MTI=';
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Message {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

async function start() {
  const received: Message[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      received.push({ headers: request.headers, text });
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => void server.close());
  const callback_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const harness = await startHarness({ webhookSecret: SECRET });
  closing.push(() => harness.sandbox.close());
  const make = async (fault?: string) =>
    await harness.call('/v1/images/generations', {
      body: { prompt: 'x', callback_url },
      ...(fault === undefined ? {} : { headers: { 'x-sandbox-fault': fault } }),
    });
  const isBy = (secret: string, { headers, text }: Message) =>
    verifyWebhook(webhookKey(secret), headers, text, Date.now()) === undefined;
  return { ...harness, received, make, callback_url, isBy };
}
const got = (received: readonly Message[], count: number) =>
  vi.waitFor(() => expect(received).toHaveLength(count), patient);

describe('callbacks', () => {
  it('tell each change by the sandbox’s time, in the shape of the family, signed by the real time', async () => {
    const { call, received, make, pass, callback_url, isBy } = await start();
    await make();
    await pass(30 * 86_400_000);
    await got(received, 2);
    expect(received.map(({ text }) => JSON.parse(text).task_status).toSorted()).toEqual(['succeed', 'succeed']);
    expect(received.every((each) => isBy(SECRET, each))).toBe(true);
    received.splice(0);
    await call('/text-to-video/kling-3.0', { body: { prompt: 'x', options: { callback_url } } });
    await pass(500);
    await got(received, 1);
    await pass(10_000);
    await got(received, 2);
    expect(received.map(({ text }) => JSON.parse(text).status)).toEqual(['processing', 'succeeded']);
  });

  it('carry two signatures while a secret is replaced', async () => {
    const { call, received, make, pass, isBy } = await start();
    await call('/sandbox/webhook-secret', { method: 'PUT', body: { secret: NEXT, overlapSeconds: 100 } });
    await make();
    await pass(10_000);
    await got(received, 2);
    expect(received.every((each) => isBy(SECRET, each) && isBy(NEXT, each))).toBe(true);
    await pass(100_000);
    received.splice(0);
    await make();
    await pass(10_000);
    await got(received, 2);
    expect(received.every((each) => !isBy(SECRET, each) && isBy(NEXT, each))).toBe(true);
  });

  it('are lost, doubled, late or badly signed on request', async () => {
    const { received, make, pass, isBy } = await start();
    await make('callback-lost');
    await make('callback-late');
    await pass(50_000);
    await make('callback-twice');
    await pass(5000);
    await got(received, 4);
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
    await pass(60_000);
    await got(received, 6);
    received.splice(0);
    await make('callback-badly-signed');
    await pass(5000);
    await got(received, 2);
    expect(received.some((each) => isBy(SECRET, each))).toBe(false);
  });
});
