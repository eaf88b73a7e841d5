import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startPostgres } from '../../test/postgres/server.ts';
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

  it('of the probe is a command for npx', { timeout: 60_000 }, async () => {
    const npm = ['exec', '--yes', '--offline', '--no-audit', '--no-fund', `--package=${join(away, 'probe')}`];
    const told = await run('npm', [...npm, '--', 'kling-probe', '--help'], { cwd: away, timeout: 50_000 });
    expect(told.stdout).toContain('probe URL [options]');
    const bytes = (await readFile(join(away, 'probe/cli.js'))).byteLength;
    expect(bytes).toBeLessThan(2_000_000);
    expect(await readFile(join(away, 'probe/LICENSES'), 'utf8')).not.toContain('@modelcontextprotocol');
  });

  it('of the operator loads the SDK of traces only when it is asked for', async () => {
    const folder = join(away, 'operator');
    const files = await readdir(folder);
    const loaded = new Set<string>();
    const load = async (file: string): Promise<string> => {
      if (loaded.has(file)) return '';
      loaded.add(file);
      const text = await readFile(join(folder, file), 'utf8');
      const imports = [...text.matchAll(/\b(?:from|import)\s*["']\.\/([^"']+)/g)];
      return text + (await Promise.all(imports.map(([, path]) => load(path!)))).join('');
    };
    const atStart = await load('main.js');
    expect(loaded.size).toBeGreaterThan(1);
    expect(atStart).not.toMatch(/OTLPTraceExporter\s*=\s*class/);
    const onDemand = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    expect(onDemand.some((text) => /OTLPTraceExporter\s*=\s*class/.test(text))).toBe(true);
    // what is not loaded is small as well
    const sizes = await Promise.all(
      files
        .filter((file) => file.endsWith('.js') && !loaded.has(file))
        .map(async (file) => (await stat(join(folder, file))).size),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(300_000);
  });

  const startApi = async (storage: Record<string, string>) => {
    const child = spawn(process.execPath, ['main.js'], {
      cwd: join(away, 'api'),
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...{ HOST: '127.0.0.1', PORT: '0', MANAGEMENT_PORT: '0', AUTH: 'none', DRAIN_SECONDS: '1' },
        ...{ KLING_BASE_URL: 'http://127.0.0.1:1', KLING_API_KEY: 'key' },
        ...storage,
      },
    });
    const end = async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'close');
    };
    let told = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      told += text;
    });
    try {
      await expect.poll(() => told, { timeout: 15_000 }).toContain('api started');
    } catch (error) {
      await end();
      throw error;
    }
    return { url: `http://127.0.0.1:${/"port":(\d+),"managementPort"/.exec(told)?.[1]}`, end };
  };

  it('of the API serves its documentation page', { timeout: 30_000 }, async () => {
    const api = await startApi({ DATA_DIR: join(away, 'data') });
    try {
      const page = await fetch(`${api.url}/docs`);
      expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
      // No other file belongs to it.
      expect(await page.text()).not.toMatch(/<(script|link)[^>]+(src|href)=/);
      const description = await fetch(`${api.url}/docs/json`);
      expect(await description.json()).toMatchObject({ openapi: expect.stringMatching(/^3\./) });
      // The page for people was made with the bundle; its sources are not here.
      expect(await (await fetch(`${api.url}/`)).text()).toContain('/page/app.js');
      expect((await (await fetch(`${api.url}/page/app.js`)).text()).length).toBeGreaterThan(10_000);
    } finally {
      await api.end();
    }
  });

  it('of the API has the driver for PostgreSQL in it', { timeout: 300_000 }, async () => {
    const postgres = await startPostgres();
    try {
      const api = await startApi({ DATABASE_URL: await postgres.createDatabase() });
      await api.end();
    } finally {
      await postgres.stop();
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
