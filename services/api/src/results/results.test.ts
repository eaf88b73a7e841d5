import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createRegistry } from '@klingapi/management';
import { type Sandbox, startSandbox } from '@klingapi/sandbox';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Api, startApi, taskReplySchema } from '../index.ts';
import { createFolderStore } from './folder-store.ts';

vi.setConfig({ testTimeout: 30_000 });
const patient = { timeout: 20_000, interval: 20 };
const DAY = 24 * 3_600_000;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Case {
  readonly sandbox: Sandbox;
  readonly api: Api;
  readonly logs: string[];
  readonly folder: string;
  readonly pass: (milliseconds: number) => void;
  /** Makes a task and waits for its result. @returns the address of the first file */
  make(path?: string): Promise<string>;
}

async function start(options: { keeps?: boolean } = {}): Promise<Case> {
  let later = 0;
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 0.05 });
  closing.push(() => sandbox.close());
  const folder = join(mkdtempSync(join(tmpdir(), 'data-')), 'results');
  const logs: string[] = [];
  const api = await startApi({
    host: '127.0.0.1',
    port: 0,
    storage: { dataDir: mkdtempSync(join(tmpdir(), 'data-')) },
    upstream: { baseUrl: sandbox.url, credentials: { apiKey: 'k' } },
    authentication: { auth: 'none' },
    logger: createLogger({ name: 'api', level: 'debug', destination: { write: (line) => logs.push(line) } }),
    registry: createRegistry('api'),
    now: () => Date.now() + later,
    retryMs: 20,
    results: options.keeps === false ? undefined : createFolderStore(folder),
    resultsRetentionMs: 90 * DAY,
    publicUrl: 'https://studio.example/kling/',
  });
  closing.push(() => api.close());
  return {
    sandbox,
    api,
    logs,
    folder,
    pass: (milliseconds) => {
      later += milliseconds;
    },
    async make(path = '/api/images/generations') {
      const post = (url: string, body: unknown) =>
        fetch(api.url + url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
      const { id } = taskReplySchema.parse(await (await post(path, { prompt: 'a fox' })).json());
      const task = taskReplySchema.parse(await (await post(`/api/tasks/${id}/wait`, {})).json());
      expect(task.status).toBe('succeeded');
      const [file] = task.result!.images ?? task.result!.videos ?? [];
      expect(file?.link).toBe(`https://studio.example/kling${file?.href}`);
      return api.url + file!.href;
    },
  };
}

const kept = (logs: readonly string[]) =>
  vi.waitFor(() => expect(logs.some((line) => line.includes('results kept'))).toBe(true), patient);

describe('a result that is kept', () => {
  it('is there after Kling has deleted its own, with a tag, and in ranges', async () => {
    const { sandbox, make, logs } = await start();
    const url = await make('/api/videos/text-to-video');
    await kept(logs);
    await sandbox.close();
    const whole = await fetch(url);
    const bytes = Buffer.from(await whole.arrayBuffer());
    const etag = whole.headers.get('etag') ?? '';
    expect([whole.status, whole.headers.get('content-type')]).toEqual([200, 'video/mp4']);
    expect(whole.headers.get('accept-ranges')).toBe('bytes');
    expect(bytes.subarray(4, 8).toString()).toBe('ftyp');
    expect(etag).toMatch(/^"[0-9a-f]{64}"$/);

    const ask = (headers: Record<string, string>, method = 'GET') => fetch(url, { method, headers });
    const part = await ask({ range: 'bytes=4-7', 'if-range': etag });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      `bytes 4-7/${bytes.length}`,
      'ftyp',
    ]);
    const end = await ask({ range: 'bytes=-4' });
    expect(Buffer.from(await end.arrayBuffer()).equals(bytes.subarray(-4))).toBe(true);
    const stale = await ask({ range: 'bytes=4-7', 'if-range': '"other"' });
    expect([stale.status, (await stale.arrayBuffer()).byteLength]).toEqual([200, bytes.length]);
    const beyond = await ask({ range: `bytes=${bytes.length}-` });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${bytes.length}`]);
    expect(await beyond.json()).toMatchObject({ code: 'range_not_satisfiable' });
    const same = await ask({ 'if-none-match': etag });
    expect([same.status, await same.text()]).toEqual([304, '']);
    const head = await ask({}, 'HEAD');
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([
      200,
      String(bytes.length),
      '',
    ]);
  });

  it('is deleted when its time is over', async () => {
    const { make, logs, pass, folder } = await start();
    const url = await make();
    await kept(logs);
    pass(91 * DAY);
    // The next task makes the mirror look at the clock.
    await make();
    await vi.waitFor(() => expect(logs.some((line) => line.includes('kept results deleted'))).toBe(true), patient);
    const reply = await fetch(url);
    expect([reply.status, await reply.json()]).toMatchObject([410, { code: 'result_deleted' }]);
    const [, id = ''] = /tasks\/([^/]+)/.exec(url) ?? [];
    expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).includes(id))).toEqual([]);
  });
});

describe('a result that is not kept', () => {
  it('streams from where Kling has it, and is told as missing after that', async () => {
    const { sandbox, make } = await start({ keeps: false });
    const url = await make();
    const reply = await fetch(url, { headers: { range: 'bytes=0-3' } });
    expect([reply.status, reply.headers.get('accept-ranges')]).toEqual([200, 'none']);
    expect(
      Buffer.from(await reply.arrayBuffer())
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    await sandbox.close();
    const gone = await fetch(url);
    expect([gone.status, await gone.json()]).toMatchObject([502, { code: 'upstream_result' }]);
  });
});
