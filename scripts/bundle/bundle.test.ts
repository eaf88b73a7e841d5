import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { bundle } from './bundle.ts';
import { PROCESSES } from './processes.ts';

const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);
let away = '';

/** Far from any `node_modules`. */
beforeAll(async () => {
  away = await mkdtemp(join(tmpdir(), 'bundle-test-'));
  await Promise.all(PROCESSES.map((process) => bundle(process, ROOT, join(away, process.name))));
}, 60_000);
afterAll(() => rm(away, { recursive: true, force: true }));

const start = async (name: string, env: Record<string, string>) =>
  run(process.execPath, ['main.js'], { cwd: join(away, name), env, timeout: 20_000 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => z.object({ code: z.number(), stdout: z.string(), stderr: z.string() }).parse(error),
  );

describe('a bundle', () => {
  it.each(PROCESSES.map(({ name }) => name))('of %s starts alone and tells what it lacks', async (name) => {
    const { code, stderr } = await start(name, { LOG_LEVEL: 'nonsense', WORKERS: '0', MANAGEMENT_PORT: 'x' });
    expect(stderr).toContain('the configuration is wrong:');
    expect(stderr).toContain('MANAGEMENT_PORT');
    expect(code).toBe(78);
  });

  it('holds the licence of every package in it', async () => {
    const licences = await readFile(join(away, 'api/LICENSES'), 'utf8');
    for (const name of ['fastify', 'zod', 'pino', 'jose']) expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
    expect(licences).toContain('Permission is hereby granted');
    // The libraries of the repository itself are no third party.
    expect(licences).not.toContain('@klingapi/');
  });

  it('is all that its folder holds', async () => {
    expect((await readdir(join(away, 'mcp'))).sort()).toEqual(['LICENSES', 'main.js', 'package.json']);
    expect((await readdir(join(away, 'probe'))).sort()).toEqual(['LICENSES', 'cli.js', 'main.js', 'package.json']);
  });

  it('of the API serves its documentation page', { timeout: 30_000 }, async () => {
    const data = join(away, 'data');
    const child = spawn(process.execPath, ['main.js'], {
      cwd: join(away, 'api'),
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...{ HOST: '127.0.0.1', PORT: '0', MANAGEMENT_PORT: '0', AUTH: 'none', DATA_DIR: data, DRAIN_SECONDS: '1' },
        ...{ KLING_BASE_URL: 'http://127.0.0.1:1', KLING_API_KEY: 'key' },
      },
    });
    try {
      let told = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        told += text;
      });
      await expect.poll(() => told, { timeout: 15_000 }).toContain('api started');
      const port = /"port":(\d+),"managementPort"/.exec(told)?.[1];
      const page = await fetch(`http://127.0.0.1:${port}/docs`);
      expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
      // No other file belongs to it.
      expect(await page.text()).not.toMatch(/<(script|link)[^>]+(src|href)=/);
      const description = await fetch(`http://127.0.0.1:${port}/docs/json`);
      expect(await description.json()).toMatchObject({ openapi: expect.stringMatching(/^3\./) });
    } finally {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'close');
    }
  });
});

it('of a source that does not compile is no bundle', async () => {
  const broken = await mkdtemp(join(tmpdir(), 'broken-'));
  await cp(join(ROOT, 'services/probe/package.json'), join(broken, 'package.json'));
  const process = { name: 'probe', folder: '.', entryPoints: { main: 'main.ts' }, description: '' } as const;
  await expect(bundle(process, broken)).rejects.toThrow('main.ts');
  expect(await readdir(broken)).toEqual(['package.json']);
});
