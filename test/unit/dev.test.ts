import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { PNG } from 'pngjs';
import { afterEach, expect, it } from 'vitest';
import { z } from 'zod';

const DEV = join(import.meta.dirname, '../../scripts/dev.ts');
const PORTS = [5510, 5511, 5512, 9090, 9091, 9092];

const resultSchema = z.object({
  content: z.array(z.looseObject({ type: z.string() })),
  structuredContent: z.looseObject({ id: z.string() }),
});
const pictureSchema = z.object({ data: z.string(), mimeType: z.literal('image/png') });

const started: ChildProcess[] = [];
afterEach(async () => {
  for (const child of started.splice(0)) if (child.exitCode === null) await stop(child);
});

function start(offset: number, data: string) {
  const child = spawn(process.execPath, [DEV, '--offset', String(offset), '--data', data], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  const told = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    told.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told.stderr += text;
  });
  return { child, told };
}

async function stop(child: ChildProcess): Promise<number | null> {
  child.kill('SIGINT');
  if (child.exitCode === null) await once(child, 'close');
  return child.exitCode;
}

/** Other tests and developers use ports too. */
async function freeOffset(): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    const offset = 10_000 + Math.floor(Math.random() * 40_000);
    const free = await Promise.all(PORTS.map((port) => isFree(port + offset)));
    if (free.every(Boolean)) return offset;
  }
  throw new Error('no free ports');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = once(server.listen(port, '127.0.0.1'), 'listening').then(
    () => true,
    () => false,
  );
  const free = await listening;
  await new Promise((resolve) => server.close(resolve));
  return free;
}

/** Processes that were started with this text in their environment or arguments. */
const processesWith = (text: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return ['environ', 'cmdline'].some((file) => readFileSync(join('/proc', pid, file), 'latin1').includes(text));
    } catch {
      return false;
    }
  });

it('runs the three processes for a real client, and leaves nothing when it stops', { timeout: 60_000 }, async () => {
  const data = mkdtempSync(join(tmpdir(), 'kling-dev-'));
  const offset = await freeOffset();
  const { child, told } = start(offset, data);
  await expect.poll(() => told, { timeout: 30_000 }).toMatchObject({ stdout: expect.stringContaining('Ready.') });

  const key = z.string().parse(/^Key +(\S+)$/m.exec(told.stdout)?.[1]);
  const client = new Client({ name: 'dev test', version: '1' });
  const url = new URL(`http://127.0.0.1:${5510 + offset}/mcp/v1`);
  await client.connect(
    new StreamableHTTPClientTransport(url, { requestInit: { headers: { Authorization: `Bearer ${key}` } } }) as never,
  );
  const call = async (name: string, args: Record<string, unknown>) => {
    const reply = await client.callTool({ name, arguments: args }, undefined, { timeout: 30_000 });
    expect(reply.isError ?? false).toBe(false);
    return resultSchema.parse(reply);
  };
  const made = await call('create_text_to_image_tool', { prompt: 'a lighthouse at dusk' });
  const waited = await call('wait_for_task_completion_tool', { task_id: made.structuredContent.id });
  const picture = pictureSchema.parse(waited.content.find(({ type }) => type === 'image'));
  expect(PNG.sync.read(Buffer.from(picture.data, 'base64')).width).toBeGreaterThan(0);
  await client.close();

  // A second one says which ports it wants, and disturbs nothing.
  const second = start(offset, data);
  await once(second.child, 'close');
  expect(second.child.exitCode).toBe(1);
  expect(second.told.stderr).toContain(`port ${5510 + offset} (mcp)`);
  expect(second.told.stderr).toContain(`port ${9092 + offset} (management of sandbox)`);
  expect((await fetch(`http://127.0.0.1:${9090 + offset}/readyz`)).status).toBe(200);

  expect(await stop(child)).toBe(0);
  expect(processesWith(data)).toEqual([]);
  expect(await Promise.all(PORTS.map((port) => isFree(port + offset)))).toEqual(PORTS.map(() => true));
});
