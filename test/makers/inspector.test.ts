/** The command line of the official Inspector as a client of the whole stack: MCP service, API service, sandbox. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { startMcp, TOOL_NAMES } from '@klingapi/mcp';
import { startSandbox } from '@klingapi/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApiProcess } from '../api-process.ts';

const INSPECTOR = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector/package.json')),
  'clients/launcher/build/index.js',
);
const KEY = ['--header', 'Authorization: Bearer a-key'];
/** Exit codes of the Inspector. */
const [OK, AUTH, TOOL_ERROR] = [0, 3, 5];

const cleanups: (() => Promise<unknown>)[] = [];
let url: string;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'inspector-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  const callersDir = await mkdtemp(join(folder, 'callers-'));
  await writeFile(join(callersDir, 'inspector'), 'a-key');
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 0.2 });
  cleanups.push(sandbox.close);
  const api = await startApiProcess({ KLING_BASE_URL: sandbox.url, DATA_DIR: await mkdtemp(join(folder, 'data-')) });
  cleanups.push(api.kill);
  const mcp = await startMcp({
    host: '127.0.0.1',
    port: 0,
    path: '/mcp/v1',
    management: { host: '127.0.0.1', port: 0 },
    apiUrl: api.url,
    auth: 'callers',
    callersDir,
    internalKey: undefined,
    allowedHosts: [],
    allowedOrigins: [],
    handshakeTimeoutMs: 3000,
  });
  cleanups.push(mcp.close);
  url = mcp.url;
});
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function inspect(method: string, args: readonly string[]) {
  const target = ['--cli', url, '--transport', 'http', '--stored-auth-only', '--format', 'json', '-q'];
  const child = spawn(process.execPath, [INSPECTOR, ...target, '--method', method, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, said, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  const { result, schemaFindings } = out === '' ? {} : JSON.parse(out);
  return { code, said, result, schemaFindings };
}

describe('the Inspector', () => {
  it.each([
    ['legacy', '2025-11-25'],
    ['auto', '2026-07-28'],
    ['modern', '2026-07-28'],
  ])('connects in the era %s, makes a picture and sees it', async (era, protocolVersion) => {
    const args = ['--protocol-era', era, ...KEY];
    expect(await inspect('initialize', args)).toMatchObject({
      code: OK,
      result: { protocolVersion, serverInfo: { name: 'kling' } },
    });
    const call = (tool: string, given: string) =>
      inspect('tools/call', [...args, '--tool-name', tool, '--tool-arg', given]);
    const made = await call('create_text_to_image_tool', 'prompt=a cat');
    expect(made).toMatchObject({ code: OK, result: { structuredContent: { kind: 'text-to-image' } } });
    const { id, status } = made.result.structuredContent;
    // In the newer era it declares the tasks extension, and so waits by itself.
    expect(status).toBe(era === 'legacy' ? 'submitted' : 'succeeded');
    expect(await call('wait_for_task_completion_tool', `task_id=${id}`)).toMatchObject({
      code: OK,
      result: {
        structuredContent: { id, status: 'succeeded' },
        content: expect.arrayContaining([expect.objectContaining({ type: 'image', mimeType: 'image/png' })]),
      },
    });
    expect(await call('get_task_status_tool', 'task_id=nobodys')).toMatchObject({ code: TOOL_ERROR });
  });

  it('finds no tool whose schema another model could not take', async () => {
    const { code, said, result, schemaFindings } = await inspect('tools/list', [...KEY, '--strict']);
    expect(code, said.slice(0, 2_000)).toBe(OK);
    // Errors and warnings, of all tools.
    expect(schemaFindings ?? []).toEqual([]);
    expect(result.tools.map((tool: { name: string }) => tool.name)).toEqual([...TOOL_NAMES]);
  });

  it('reads the prompts and resources', async () => {
    const { result } = await inspect('prompts/list', KEY);
    expect(result.prompts.map((prompt: { name: string }) => prompt.name)).toContain('kling_usage_guide');
    expect(await inspect('resources/read', [...KEY, '--uri', 'kling://models'])).toMatchObject({ code: OK });
  });

  it('is told that a key is needed, and not which', async () => {
    const { code, said } = await inspect('tools/list', ['--header', 'Authorization: Bearer another']);
    expect(code).toBe(AUTH);
    expect(said).not.toContain('a-key');
  });
});
