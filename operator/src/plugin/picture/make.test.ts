/** What a picture that is paid for comes to, with a server over real sockets that takes its time. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { saved } from './file.ts';
import { type MakeOptions, makePicture, type Wanted } from './make.ts';

const callSchema = z.object({
  id: z.union([z.number(), z.string()]).optional(),
  method: z.string(),
  params: z.object({ name: z.string().optional(), arguments: z.record(z.string(), z.unknown()).optional() }).optional(),
});

const task = (status: string, ...content: object[]) => ({
  content: [{ type: 'text', text: `it is ${status}` }, ...content],
  structuredContent: { id: 't1', status },
});
const IMAGE = { type: 'image', data: Buffer.from('png').toString('base64'), mimeType: 'image/png' };

const WAIT = 'wait_for_task_completion_tool';

let server: Server;
let url = '';
/** Tools that were called, with their arguments. */
let calls: [tool: string, args: Record<string, unknown>][] = [];
/** What the waits show, one after the other, the last again and again; null is a broken connection. */
let waits: (object | null)[] = [];
let pauses = 0;

beforeEach(async () => {
  calls = [];
  pauses = 0;
  server = createServer(async (request, reply) => {
    const { id, method, params } = callSchema.parse(request.method === 'POST' ? await json(request) : { method: '' });
    const answer = (result: object): void => {
      reply.setHeader('content-type', 'application/json');
      reply.end(JSON.stringify({ jsonrpc: '2.0', id, ...result }));
    };
    if (method === 'initialize')
      return answer({
        result: {
          protocolVersion: '2025-11-25',
          capabilities: { tools: {} },
          serverInfo: { name: 'fake', version: '1' },
        },
      });
    if (method !== 'tools/call')
      return id === undefined
        ? void reply.writeHead(request.method === 'GET' ? 405 : 202).end()
        : answer({ error: { code: -32601, message: 'Method not found' } });
    const tool = params?.name ?? '';
    calls.push([tool, params?.arguments ?? {}]);
    if (tool === 'create_text_to_image_tool') return answer({ result: task('submitted') });
    const next = waits.length > 1 ? waits.shift() : waits[0];
    if (next === null || next === undefined) return void request.socket.destroy();
    return answer({ result: next });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const made = (wanted: Wanted, options: Partial<MakeOptions> = {}) =>
  makePicture({ url, isForwarded: false, headers: {}, fetch, close: async () => {} }, wanted, {
    ...{ now: Date.now, signal: new AbortController().signal, deadline: Date.now() + 60_000, tell: () => {} },
    pause: async () => {
      pauses += 1;
    },
    fetchesLater: (id) => `fetch ${id} later`,
    ...options,
  });

describe('a picture', () => {
  it('is waited for again until it is done, each wait with the time that is left', async () => {
    waits = [task('processing'), task('processing'), task('succeeded', IMAGE)];
    const { bytes } = await made({ prompt: 'a kite' });
    expect(bytes.toString()).toBe('png');
    expect(calls.map(([tool]) => tool)).toEqual(['create_text_to_image_tool', ...Array(3).fill(WAIT)]);
    for (const [, args] of calls.slice(1)) expect(args).toEqual({ task_id: 't1', timeout: 50 });
    expect(pauses).toBe(2);
  });

  it('that takes longer than it may is named, with the way to it', async () => {
    waits = [task('processing')];
    let now = 0;
    const ticking = { now: () => (now += 10_000), deadline: 100_000 };
    await expect(made({ prompt: 'a kite' }, ticking)).rejects.toThrow(
      'task t1 has not ended in this time; fetch t1 later',
    );
    expect(Number(calls.at(-1)?.[1]['timeout'])).toBeLessThan(50);
  });

  it('is not lost when the connection breaks off', async () => {
    waits = [null];
    await expect(made({ prompt: 'a kite' })).rejects.toThrow(/gave no picture: .*; fetch t1 later$/);
  });

  it('is fetched by its task, and none is made', async () => {
    waits = [task('succeeded', IMAGE)];
    expect((await made({ task: 't1' })).task).toBe('t1');
    expect(calls.map(([tool]) => tool)).toEqual([WAIT]);
  });

  it('that failed is no longer worth waiting for', async () => {
    waits = [{ ...task('failed'), isError: true }];
    await expect(made({ prompt: 'a kite' })).rejects.toThrow(/^task t1 gave no picture: it is failed$/);
  });

  it('is named after Ctrl-C, which ends the wait', async () => {
    waits = [task('processing')];
    const ended = new AbortController();
    const told: string[] = [];
    const tell = (text: string): void => {
      told.push(text);
      if (text === 'task t1') ended.abort();
    };
    await expect(made({ prompt: 'a kite' }, { signal: ended.signal, tell })).rejects.toThrow(/abort/i);
    expect(told.at(-1)).toBe('fetch t1 later');
  });
});

describe('the file of a picture', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubectl-kling-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('that nobody named is a new one, also where another came between', async () => {
    await writeFile(join(folder, 'picture.png'), 'paid');
    const names = await Promise.all(['a', 'b'].map((text) => saved(undefined, Buffer.from(text), folder)));
    expect(names.toSorted()).toEqual([join(folder, 'picture-2.png'), join(folder, 'picture-3.png')]);
    expect(await readFile(join(folder, 'picture.png'), 'utf8')).toBe('paid');
  });

  it('that was named is that one', async () => {
    const file = join(folder, 'kite.png');
    for (const text of ['a', 'b']) expect(await saved(file, Buffer.from(text), folder)).toBe(file);
    expect(await readFile(file, 'utf8')).toBe('b');
  });
});
