import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnvironment } from '@klingapi/management';
import { handshake, probeReportSchema } from '@klingapi/probe';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { environmentSchema } from './environment.ts';

const PRELOAD = fileURLToPath(new URL('../../../test/images/mcp-faults/preload.mjs', import.meta.url));
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

let dir: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'faults-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(dir, { recursive: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** The process as its image starts it, and how it looks from outside. */
async function start(env: Record<string, string> = {}) {
  const [port, management] = [await freePort(), await freePort()];
  const child = spawn(process.execPath, ['--import', PRELOAD, MAIN], {
    env: {
      PATH: process.env['PATH'],
      HOST: '127.0.0.1',
      PORT: String(port),
      MANAGEMENT_PORT: String(management),
      AUTH: 'none',
      API_URL: 'http://127.0.0.1:1',
      FAULT_FILE: join(dir, 'fault'),
      HANDSHAKE_TIMEOUT_SECONDS: '2',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    output.stderr += chunk;
  });
  const get = (path: string) => fetch(`http://127.0.0.1:${management}${path}`);
  await vi.waitFor(() => get('/livez'), { timeout: 25_000, interval: 50 });
  const shake = () => handshake({ url: `http://127.0.0.1:${port}/mcp/v1`, eras: 'Both', timeoutMs: 2000 });
  return { child, output, get, shake };
}

describe('the MCP service with faults from outside', { timeout: 60_000 }, () => {
  it('goes from healthy to each fault and back, and /livez stays green', async () => {
    const { get, shake, output } = await start();
    expect((await get('/readyz')).status).toBe(200);
    const faults = [
      ['session-manager', 'Failing', 'SessionManagerDown'],
      ['500', 'Failing', 'HttpError'],
      ['garbage', 'Failing', 'WrongProtocol'],
      ['empty', 'Failing', 'EmptyReply'],
      ['wrong-id', 'Failing', 'WrongProtocol'],
      ['version', 'Failing', 'VersionMismatch'],
      ['legacy-only', 'Failing', 'EraMismatch'],
      ['never-ending', 'Failing', 'NeverEndingReply'],
    ] as const;
    for (const [fault, verdict, diagnosis] of faults) {
      await writeFile(join(dir, 'fault'), fault);
      expect(await shake()).toMatchObject({ verdict, diagnosis });
      const ready = await get('/readyz');
      expect(ready.status).toBe(503);
      expect(probeReportSchema.parse(await ready.json())).toMatchObject({ verdict, diagnosis });
      expect((await get('/livez')).status).toBe(200);
    }
    expect(
      output.stderr.match(/^RuntimeError: Task group is not initialized\. Make sure to use run\(\)\.$/gm),
    ).toHaveLength(2);
    await rm(join(dir, 'fault'));
    expect((await get('/readyz')).status).toBe(200);
    expect(await shake()).toMatchObject({ verdict: 'Serving', era: 'Both' });
  });

  it('is slow, asks for credentials, and closes its port', async () => {
    const { get, shake } = await start();
    await writeFile(join(dir, 'fault'), 'slow:600');
    expect(await shake()).toMatchObject({ verdict: 'Serving', diagnosis: 'Slow' });
    expect((await get('/readyz')).status).toBe(200);
    await writeFile(join(dir, 'fault'), '401');
    expect(await shake()).toMatchObject({ verdict: 'AuthRequired' });
    await writeFile(join(dir, 'fault'), 'refuse');
    await vi.waitFor(async () => expect((await shake()).diagnosis).toBe('ConnectionRefused'), { timeout: 5_000 });
    expect((await get('/livez')).status).toBe(200);
    await rm(join(dir, 'fault'));
  });

  it('is broken from the start by the variable', async () => {
    const { get } = await start({ FAULT: '500' });
    expect((await get('/readyz')).status).toBe(503);
  });

  it('serves first and fails later', async () => {
    const { get } = await start({ FAULT: 'session-manager', FAULT_AFTER_SERVING_SECONDS: '1' });
    expect((await get('/readyz')).status).toBe(200);
    await vi.waitFor(async () => expect((await get('/readyz')).status).toBe(503), { timeout: 20_000, interval: 100 });
    const report = probeReportSchema.parse(await (await get('/handshake')).json());
    expect(report).toMatchObject({ diagnosis: 'SessionManagerDown' });
    expect(report.firstServingAt).not.toBeNull();
  });

  it('crashes', async () => {
    const { child, shake } = await start();
    await writeFile(join(dir, 'fault'), 'crash');
    const code = new Promise((resolve) => child.once('exit', resolve));
    expect((await shake()).verdict).toBe('Unreachable');
    expect(await code).toBe(1);
  });
});

describe('the process', { timeout: 60_000 }, () => {
  it('ends with 0 on SIGTERM', async () => {
    const { child, get } = await start();
    await get('/readyz');
    const code = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await code).toBe(0);
  });

  it('refuses to start without authentication settings, and tells every problem', async () => {
    const child = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    children.push(child);
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(78);
    expect(stderr).toContain('AUTH: required but absent');
    expect(stderr).toContain('API_URL: required but absent');
  });

  it('tells what callers need beside other problems', () => {
    const parsed = parseEnvironment(environmentSchema, { AUTH: 'callers', PORT: 'x' });
    expect(parsed.ok ? [] : parsed.problems.map((problem) => problem.split(':')[0]).sort()).toEqual([
      'API_URL',
      'CALLERS_DIR',
      'INTERNAL_KEY_FILE',
      'PORT',
    ]);
  });
});
