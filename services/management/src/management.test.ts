import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { readConfigFile } from './config-file.ts';
import {
  createLogger,
  createRegistry,
  createRequestMetrics,
  parseEnvironment,
  processVariables,
  runSteps,
  startManagement,
} from './index.ts';

vi.setConfig({ testTimeout: 30_000 });
const loopback = { port: 0, host: '127.0.0.1' };

describe('the management port', () => {
  it('answers liveness, its routes and metrics, and nothing else', async () => {
    const management = await startManagement({
      ...loopback,
      registry: createRegistry('api'),
      routes: { '/readyz': () => ({ status: 503, body: { status: 'starting' } }) },
    });
    const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${management.port}${path}`, init);

    const livez = await get('/livez');
    expect([livez.status, await livez.json()]).toEqual([200, { status: 'ok' }]);
    const readyz = await get('/readyz?verbose');
    expect([readyz.status, await readyz.json()]).toEqual([503, { status: 'starting' }]);
    const metrics = await get('/metrics');
    expect(metrics.headers.get('content-type')).toContain('text/plain');
    expect(await metrics.text()).toMatch(/process_cpu_user_seconds_total\{app="api"\}/);
    expect((await get('/other')).status).toBe(404);
    expect((await get('/livez', { method: 'POST' })).status).toBe(405);
    await management.close();
    await expect(get('/livez')).rejects.toThrow();
  });

  it('tells each request once, however often somebody looks', async () => {
    const registry = createRegistry('api');
    const count = createRequestMetrics(registry);
    const told = async () => (await registry.metrics()).match(/^http_request[^ ]*(?:total|count){.*$/gm);
    const request = { method: 'GET', route: '/api/tasks/:id', status: 200, milliseconds: 3 };
    count(request);
    count(request);
    count({ ...request, status: 404 });
    const labels = 'method="GET",route="/api/tasks/:id"';
    const lines = (good: number, bad: number) => [
      `http_requests_total{${labels},status="200",app="api"} ${good}`,
      `http_requests_total{${labels},status="404",app="api"} ${bad}`,
      `http_request_duration_seconds_count{app="api",${labels}} ${good + bad}`,
    ];
    expect(await told()).toEqual(lines(2, 1));
    expect(await told()).toEqual(lines(2, 1));
    count(request);
    expect(await told()).toEqual(lines(3, 1));
  });

  it('leaves what is below a prefix to another, whatever the method', async () => {
    const management = await startManagement({
      ...loopback,
      below: {
        prefix: '/sandbox/',
        handle: (request, response) => void response.end(`${request.method} ${request.url}`),
      },
    });
    const post = (path: string) => fetch(`http://127.0.0.1:${management.port}${path}`, { method: 'POST' });
    expect(await (await post('/sandbox/clock')).text()).toBe('POST /sandbox/clock');
    expect((await post('/livez')).status).toBe(405);
    await management.close();
  });

  it('answers 500 for a route that throws, tells its owner, and lives on', async () => {
    const told: string[] = [];
    const management = await startManagement({
      ...loopback,
      routes: {
        '/readyz': () => {
          throw new Error('secret detail');
        },
      },
      onError: (path, error) => told.push(`${path} ${String(error)}`),
    });
    const reply = await fetch(`http://127.0.0.1:${management.port}/readyz`);
    expect([reply.status, await reply.text()]).toEqual([500, '{"status":"error"}']);
    expect(told).toEqual(['/readyz Error: secret detail']);
    await management.close();
  });
});

describe('the environment', () => {
  const schema = z.object({
    ...processVariables,
    PORT: z.coerce.number().int().default(5511),
    AUTH: z.enum(['callers', 'none']),
    KEY: z.string().min(32),
  });

  it('gives every problem at once and never a value', () => {
    const parsed = parseEnvironment(schema, { PORT: 'abc', KEY: 'hunter2-short', LOG_LEVEL: '' });
    expect(parsed).toMatchInlineSnapshot(`
      {
        "ok": false,
        "problems": [
          "PORT: Invalid input: expected number, received NaN",
          "AUTH: required but absent (one of callers, none)",
          "KEY: Too small: expected string to have >=32 characters",
        ],
      }
    `);
    expect(JSON.stringify(parsed)).not.toContain('hunter2');
  });

  it('takes values from mounted files, trimmed, and refuses two sources', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'env-')), 'key');
    writeFileSync(path, `${'k'.repeat(32)}\n`);
    const files = { files: ['KEY'] };
    expect(parseEnvironment(schema, { AUTH: 'none', KEY_FILE: path }, files)).toMatchObject({
      ok: true,
      value: { KEY: 'k'.repeat(32), HOST: '0.0.0.0', MANAGEMENT_PORT: 9090, DRAIN_SECONDS: 10, LOG_LEVEL: 'info' },
    });
    expect(parseEnvironment(schema, { AUTH: 'none', KEY_FILE: path, KEY: 'x'.repeat(32) }, files)).toEqual({
      ok: false,
      problems: ['KEY: set it or KEY_FILE, not both'],
    });
    expect(parseEnvironment(schema, { AUTH: 'none', KEY_FILE: '/nowhere/key' }, files)).toEqual({
      ok: false,
      problems: ['KEY_FILE: /nowhere/key cannot be read (ENOENT)'],
    });
  });

  const configured = (content: string, env: Record<string, string> = {}) => {
    const path = join(mkdtempSync(join(tmpdir(), 'env-')), 'config.yaml');
    writeFileSync(path, content);
    const parsed = parseEnvironment(schema, { CONFIG_FILE: path, ...env }, { files: ['KEY'] });
    return parsed.ok ? parsed.value : parsed.problems.map((problem) => problem.replaceAll(path, 'config.yaml'));
  };

  it('may be in a file of YAML or JSON, which the environment goes before', () => {
    const key = 'k'.repeat(32);
    const yaml = `# ours\nAUTH: none\nPORT: 6000\nKEY: ${key}\nLOG_LEVEL:\n`;
    expect(configured(yaml)).toMatchObject({ AUTH: 'none', PORT: 6000, KEY: key, LOG_LEVEL: 'info' });
    expect(configured(yaml, { PORT: '7000', AUTH: '' })).toMatchObject({ AUTH: 'none', PORT: 7000 });
    expect(configured(JSON.stringify({ AUTH: 'callers', KEY: key }))).toMatchObject({ AUTH: 'callers' });
    // The secret of the environment stands for that of the file, whichever way either is given.
    const other = join(mkdtempSync(join(tmpdir(), 'env-')), 'key');
    writeFileSync(other, 'o'.repeat(32));
    expect(configured(yaml, { KEY_FILE: other })).toMatchObject({ KEY: 'o'.repeat(32) });
    expect(configured(`AUTH: none\nKEY_FILE: ${other}\n`, { KEY: key })).toMatchObject({ KEY: key });
    expect(configured(`AUTH: none\nKEY_FILE: ${other}\n`)).toMatchObject({ KEY: 'o'.repeat(32) });
  });

  it.each([
    ['digits', '0012345', '0012345'],
    ['a number with an exponent', '12e3', '12e3'],
    ['a number that no double holds', '12345678901234567890123456789012', '12345678901234567890123456789012'],
    ['hexadecimal digits', '0xff', '0xff'],
    ['a truth', 'true', 'true'],
    ['a list', '[a, 007]', 'a,007'],
    ['a quoted word', '"null"', 'null'],
    ['nothing', '', undefined],
    ['null', 'null', undefined],
    ['a tilde', '~', undefined],
    ['quotes', "''", undefined],
  ])('is of its file as it is written there: %s', (_name, written, value) => {
    const read = readConfigFile('config.yaml', ['KEY'], () => `KEY: ${written}\n`);
    expect(read).toEqual({ values: new Map(value === undefined ? [] : [['KEY', value]]), problems: [] });
  });

  it('with aliases that explode is one problem', () => {
    const levels = [...'bcdefghi'].map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[at]}`)}]\n`);
    expect(readConfigFile('config.yaml', ['KEY'], () => `a: &a [x,x]\n${levels.join('')}`)).toEqual({
      values: new Map(),
      problems: ['CONFIG_FILE: config.yaml has aliases that lead to too much'],
    });
  });

  it('gives the problems of both with their source, an unknown key with the nearest name, and no value', () => {
    const yaml = 'PROT: 1\nPORT: hunter2\nKEY: hunter2\nlog-levle: hunter2\nHOST: { a: hunter2 }\nPATH: hunter2\n';
    const told = configured(yaml, { DRAIN_SECONDS: 'hunter2' });
    expect(told).toMatchInlineSnapshot(`
      [
        "PROT (in config.yaml): there is no such setting; the nearest is PORT",
        "log-levle (in config.yaml): there is no such setting; the nearest is LOG_LEVEL",
        "HOST (in config.yaml): is neither a text, a number, true, false nor a list of these",
        "PATH (in config.yaml): there is no such setting; the nearest is AUTH",
        "DRAIN_SECONDS: Invalid input: expected number, received NaN",
        "PORT (in config.yaml): Invalid input: expected number, received NaN",
        "AUTH: required but absent (one of callers, none)",
        "KEY (in config.yaml): Too small: expected string to have >=32 characters",
      ]
    `);
    expect(JSON.stringify(told)).not.toContain('hunter2');
    expect(configured('AUTH: none\nKEY: "hunter2\nAUTH: none\n')).toMatchInlineSnapshot(`
      [
        "CONFIG_FILE: config.yaml, line 4: MISSING_CHAR",
        "AUTH: required but absent (one of callers, none)",
        "KEY: required but absent",
      ]
    `);
    expect(configured('- AUTH\n', { AUTH: 'none', KEY: 'k'.repeat(32) })).toEqual([
      'CONFIG_FILE: config.yaml holds no names with values',
    ]);
    expect(parseEnvironment(schema, { CONFIG_FILE: '/nowhere', AUTH: 'none', KEY: 'k'.repeat(32) })).toEqual({
      ok: false,
      problems: ['CONFIG_FILE: /nowhere cannot be read (ENOENT)'],
    });
  });

  it('ends the process with 78 and the list on standard error', async () => {
    const { code, stderr } = await run(
      `import { readEnvironment } from ${index};
       import { z } from ${zod};
       readEnvironment(z.object({ A: z.string(), B: z.string() }), {});`,
    );
    expect(code).toBe(78);
    expect(stderr).toBe('the configuration is wrong:\n  A: required but absent\n  B: required but absent\n');
  });
});

describe('logs', () => {
  it('hold fields as JSON and no secrets', () => {
    const lines: string[] = [];
    const logger = createLogger({ name: 'api', destination: { write: (line) => lines.push(line) } });
    logger.info(
      { token: 'aaa', headers: { authorization: 'bbb' }, a: { b: { apiKey: 'ccc' } }, pod: 'x' },
      'call ended',
    );
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'info', name: 'api', msg: 'call ended', pod: 'x' });
    logger.child({ task: 't', token: 'ddd' }).warn('of a child');
    expect(JSON.parse(lines[1]!)).toMatchObject({ task: 't', token: '[redacted]' });
    const error = Object.assign(new Error('refused', { cause: { code: 7 } }), {
      code: 'E',
      request: { secret: 'eee' },
    });
    logger.error({ err: error, list: [{ cookie: 'fff' }] }, 'failed');
    expect(JSON.parse(lines[2]!)).toMatchObject({
      err: { type: 'Error', message: 'refused', code: 'E', request: { secret: '[redacted]' }, stack: error.stack },
      list: [{ cookie: '[redacted]' }],
    });
    logger.error(error);
    expect(lines.join()).not.toMatch(/aaa|bbb|ccc|ddd|eee|fff/);
  });

  it('leave what is logged as it is', () => {
    const logger = createLogger({ name: 'api', destination: { write: () => {} } });
    const call = { headers: { authorization: 'Bearer x' } };
    logger.info({ call });
    expect(call).toEqual({ headers: { authorization: 'Bearer x' } });
  });
});

describe('draining', () => {
  it('runs every step in order, and those after one that failed or hung', async () => {
    const ran: string[] = [];
    const undone = await runSteps({
      seconds: 0.05,
      steps: [
        { name: 'first', run: () => void ran.push('first') },
        {
          name: 'throws',
          run: () => {
            throw new Error('no');
          },
        },
        { name: 'hangs', run: () => new Promise(() => {}) },
        { name: 'last', run: () => void ran.push('last') },
      ],
    });
    expect(undone).toEqual(['throws', 'hangs']);
    expect(ran).toEqual(['first', 'last']);
  });

  it('ends with 0 on SIGTERM after the steps, and at once on a second signal', async () => {
    const program = (steps: string) => `import { drainOnSignal } from ${index};
      setInterval(() => {}, 1000);
      drainOnSignal({ seconds: 30, steps: [${steps}] });
      console.log('up');`;
    const polite = await run(program(`{ name: 'a', run: () => console.log('drained') }`), (child) =>
      child.kill('SIGTERM'),
    );
    expect(polite).toMatchObject({ code: 0, stdout: 'up\ndrained\n' });
    const hurried = await run(
      program(`{ name: 'a', run: () => { console.log('hanging'); return new Promise(() => {}); } }`),
      (child, line) => child.kill(line.includes('hanging') ? 'SIGINT' : 'SIGTERM'),
    );
    expect(hurried).toMatchObject({ code: 1, stdout: 'up\nhanging\n' });
  });

  it('ends although nobody reads its log any more', async () => {
    const program = `import { createLogger, drainOnSignal } from ${index};
      setInterval(() => {}, 1000);
      const logger = createLogger({ name: 'trial' });
      drainOnSignal({ seconds: 1, steps: [], logger });
      logger.info('up');`;
    const { code } = await run(program, (child) => {
      child.stdout?.destroy();
      child.kill('SIGTERM');
    });
    expect(code).toBe(0);
  });
});

const zod = JSON.stringify(createRequire(import.meta.url).resolve('zod'));
const index = JSON.stringify(new URL('./index.ts', import.meta.url).href);

/** Runs a module in a process of its own; `onLine` is called with each piece of its output. */
async function run(source: string, onLine?: (child: ReturnType<typeof spawn>, line: string) => void) {
  const path = join(mkdtempSync(join(tmpdir(), 'trial-')), 'main.mts');
  writeFileSync(path, source);
  const child = spawn(process.execPath, ['--no-warnings', path]);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
    onLine?.(child, data.toString());
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}
