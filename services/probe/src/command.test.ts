import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { adviceFor } from './advice.ts';
import { EXIT_CODES, EXIT_USAGE, runCommand } from './command.ts';
import { diagnosisSchema, type HandshakeResult, probeReportSchema, verdictSchema } from './report.ts';
import { INITIALIZED, json, rpcError, type Script, startScripted } from './scripted-server.ts';
import { phasesInWords } from './words.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serving(script: Script) {
  const server = await startScripted(script);
  cleanups.push(server.close);
  return server;
}
const good: Script = (_seen, response) => json(response, 200, INITIALIZED);

async function run(argv: string[], env: Record<string, string> = {}, script = {}) {
  const seen = { out: '', err: '', paused: [] as number[] };
  const ended = new AbortController();
  const code = await runCommand(argv, {
    out: (text) => {
      seen.out += text;
    },
    err: (text) => {
      seen.err += text;
    },
    env,
    signal: ended.signal,
    pause: async (ms) => void seen.paused.push(ms),
    ...script,
  });
  return { code, ...seen };
}

describe('the command', () => {
  it.each<[keyof typeof EXIT_CODES, Script, string]>([
    ['Serving', good, ''],
    ['AuthRequired', (_seen, response) => void response.writeHead(401).end(), 'asks for credentials first'],
    [
      'Failing',
      (_seen, response) => void response.writeHead(500).end('RuntimeError: Task group is not initialized.'),
      'session_manager.run()',
    ],
    ['Failing', (_seen, response) => json(response, 200, rpcError(1, -32000)), 'What to do:'],
    ['Unreachable', (_seen, response) => void response.destroy(), 'Read the log of the server'],
    ['Serving', (_seen, response) => void response.writeHead(503, { 'retry-after': '5' }).end(), 'busy or slow'],
  ])('exits by the verdict %s and says what to do', async (verdict, script, words) => {
    const server = await serving(script);
    const { code, out } = await run([server.url]);
    expect(code).toBe(EXIT_CODES[verdict]);
    expect(out).toMatch(new RegExp(`^${verdict}`));
    expect(out).toContain(words);
    expect(out.includes('What is wrong:')).toBe(words !== '');
    expect(out).toMatch(/ {2}time {6}connect [\d.]+ ms/);
  });

  it('tells nothing listens, and an unknown name', async () => {
    expect(await run(['http://127.0.0.1:1/mcp'])).toMatchObject({
      code: 2,
      out: expect.stringContaining('Nothing listens at this address'),
    });
    expect(await run(['http://no-such-host.invalid/mcp'])).toMatchObject({
      code: 4,
      out: expect.stringContaining('could not be resolved from here'),
    });
  });

  it('tells https where http was expected', async () => {
    const server = await serving(good);
    const { out } = await run([server.url.replace('http:', 'https:')]);
    expect(out).toContain('Check the scheme');
  });

  it('prints JSON', async () => {
    const server = await serving(good);
    const { code, out } = await run([server.url, '--json']);
    expect([code, JSON.parse(out)]).toMatchObject([
      0,
      { verdict: 'Serving', evidence: { phases: { dnsMs: null, connectMs: expect.any(Number), tlsMs: null } } },
    ]);
    const named = JSON.parse((await run([server.url.replace('127.0.0.1', 'localhost'), '--json'])).out);
    expect(named.evidence.phases.dnsMs).toBeGreaterThan(0);
  });

  it.each([
    ['the command line', 'Secret-123', {}],
    ['a variable', 'env:TOKEN', { TOKEN: 'Secret-123' }],
    ['a file', 'file:', {}],
  ])('sends a token from %s and never shows it', async (_from, auth, env) => {
    const server = await serving((seen, response) => {
      if (seen.headers.authorization === 'Bearer Secret-123') return json(response, 200, INITIALIZED);
      response.writeHead(401).end();
    });
    const dir = await mkdtemp(join(tmpdir(), 'probe-'));
    cleanups.push(() => rm(dir, { recursive: true }));
    await writeFile(join(dir, 'token'), 'Secret-123\n');
    const given = auth === 'file:' ? `file:${join(dir, 'token')}` : auth;
    const { code, out } = await run([server.url, '--auth', given], env);
    expect(code).toBe(0);
    expect(out).not.toContain('Secret-123');
  });

  it.each([
    [[], 'one URL is needed'],
    [['ftp://x'], 'http or https'],
    [['http://x', '--eras', 'Old'], 'eras'],
    [['http://x', '--header', 'nothing'], 'NAME: VALUE'],
    [['http://x', '--wrong'], '--wrong'],
    [['http://x', '--auth', 'env:NOT_THERE'], 'NOT_THERE is not set'],
    [['http://x', '--auth', 'file:/nowhere'], '/nowhere cannot be read'],
    [['http://x', '--interval', '-1'], 'interval'],
    [['http://x', '--count', '1.5'], 'count'],
  ])('refuses wrong usage: %j', async (argv, problem) => {
    const { code, err } = await run(argv);
    expect(code).toBe(EXIT_USAGE);
    expect(err).toContain(problem);
  });
});

describe('the process', () => {
  const start = (argv: string[]) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'cli.ts'), ...argv], { stdio: 'pipe' });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    const ended = once(child, 'close').then(([code]) => ({ code, out }));
    return { child, ended, out: () => out };
  };

  it('ends soon after its timeout, whatever the server does', { timeout: 30_000 }, async () => {
    const silent = await serving(() => {});
    const drip = await serving((_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => response.write(': still here\n\n'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const started = performance.now();
    const ends = [silent, drip].map(({ url }) => start([url, '--timeout', '1']).ended);
    expect((await Promise.all(ends)).map(({ code }) => code)).toEqual([2, 1]);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it('ends a watch on SIGTERM with the code of what it saw last', { timeout: 30_000 }, async () => {
    const server = await serving(good);
    const { child, ended, out } = start([server.url, '--watch', '--interval', '60']);
    await expect.poll(out, { timeout: 20_000 }).toContain('Serving');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
  });
});

describe('watching', () => {
  it('prints a line for each handshake and words for each change', async () => {
    let calls = 0;
    const server = await serving((_seen, response) => {
      calls += 1;
      if (calls <= 2 || calls === 5) return json(response, 200, INITIALIZED);
      response.writeHead(500).end('Task group is not initialized');
    });
    const { code, out, paused } = await run([server.url, '--watch', '--count', '5', '--interval', '2']);
    expect(code).toBe(0);
    expect(paused).toEqual([2000, 2000, 2000, 2000]);
    const lines = out.split('\n').filter((line) => /^\d\d:\d\d:\d\dZ/.test(line));
    expect(lines.map((line) => line.split(' ')[1])).toEqual(['Serving', 'Serving', 'Failing', 'Failing', 'Serving']);
    expect(lines[3]).toMatch(/\(SessionManagerDown\) [\d.]+ ms, failing since \d\d:\d\d:\d\d$/);
    expect(out.match(/What is wrong/g)).toHaveLength(1);
  });

  it('prints one JSON report a line', async () => {
    const server = await serving(good);
    const { out } = await run([server.url, '--watch', '--count', '3', '--json']);
    const reports = out
      .trim()
      .split('\n')
      .map((line) => probeReportSchema.parse(JSON.parse(line)));
    expect(reports.map(({ handshakes }) => handshakes)).toEqual([1, 2, 3]);
  });

  it('ends at once on a signal, also in the middle of a handshake', async () => {
    const ended = new AbortController();
    const server = await serving(() => ended.abort());
    const started = performance.now();
    const { out } = await run([server.url, '--watch', '--timeout', '60'], {}, { signal: ended.signal });
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(out).toBe('');
  });
});

describe('words', () => {
  const result = (more: Partial<HandshakeResult>): HandshakeResult => ({
    verdict: 'Failing',
    diagnosis: null,
    message: '',
    era: null,
    server: null,
    evidence: {
      era: 'Legacy',
      method: 'initialize',
      status: null,
      contentType: null,
      excerpt: null,
      code: null,
      error: null,
      phases: { connectMs: null, firstByteMs: null, totalMs: 0 },
    },
    ...more,
  });

  it('are there for every diagnosis and every verdict but a plain Serving', () => {
    const all = diagnosisSchema.options.map((diagnosis) => adviceFor(result({ diagnosis }))?.wrong);
    expect(new Set(all).size).toBe(diagnosisSchema.options.length);
    for (const verdict of verdictSchema.options) {
      expect(adviceFor(result({ verdict })) === null).toBe(verdict === 'Serving');
    }
  });

  it('tell how long each phase took, and which was the last', () => {
    expect(phasesInWords({ dnsMs: 1.5, connectMs: 2, tlsMs: 12, firstByteMs: 15.25, totalMs: 16 })).toBe(
      'DNS 1.5 ms, connect 0.5 ms, TLS 10 ms, first byte 3.25 ms, protocol 0.75 ms; total 16 ms',
    );
    expect(phasesInWords({ connectMs: 2, firstByteMs: null, totalMs: 3000 })).toBe(
      'connect 2 ms, then nothing 2998 ms; total 3000 ms',
    );
  });
});
