import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { scriptOf } from '../../../test/docs/script.ts';
import { typeIn } from '../../../test/docs/shell.ts';
import { FLAGS } from './command/flags.ts';
import { NAMED_FAULTS } from './faults/names.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const run = promisify(execFile);
const script = await scriptOf('services/sandbox/README.md');
const README = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
const MAIN = join(import.meta.dirname, 'command/main.ts');

const child = spawn(process.execPath, [MAIN, '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
let told = '';
child.stdout.setEncoding('utf8').on('data', (text: string) => {
  told += text;
});
beforeAll(() => vi.waitFor(() => expect(told).toContain('/sandbox/charges'), { timeout: 50_000, interval: 20 }));
afterAll(async () => {
  child.kill('SIGTERM');
  if (child.exitCode === null) await once(child, 'close');
});

it('holds what it promises: each example of the README prints what stands below it', async () => {
  const address = /http:\/\/127\.0\.0\.1:\d+/.exec(told)?.[0] ?? '';
  const examples = script.blocks();
  expect(examples.length).toBeGreaterThan(7);
  const adapt = (command: string) => command.replaceAll('http://127.0.0.1:5512', address);
  for (const { commands, printed } of examples) {
    const { stdout } = await typeIn(commands, { adapt });
    for (const line of printed.split('\n')) expect(stdout, commands.join('\n')).toContain(line);
    expect(stdout, commands.join('\n')).not.toContain('problem');
  }
  // Each request is told, on one line, and nothing is coloured where nobody sees it.
  expect(told).toMatch(/POST +\/v1\/images\/generations +200 +\d+ ms +task [\w-]+ +account sandbox\n/);
  expect(told).toMatch(/429 1303 .*fault 1303 +account back-off\n/);
  expect(told).toMatch(/no answer .*fault after-create-reset/);
  expect(told).not.toContain('\u001b');
});

it('lists every fault', () => {
  for (const [name, { about }] of Object.entries(NAMED_FAULTS)) expect(README).toContain(`| \`${name}\` | ${about} |`);
});

const start = (...args: string[]) =>
  run(process.execPath, [MAIN, ...args]).then(
    ({ stdout }) => ({ code: 0, text: stdout }),
    (error: { code: number; stderr: string }) => ({ code: error.code, text: error.stderr }),
  );

it('helps, and tells every problem by its flag', async () => {
  const help = await start('--help');
  expect(help.code).toBe(0);
  for (const flag of Object.keys(FLAGS)) expect(help.text).toContain(`--${flag} `);
  const wrong = await start('--port', 'x', '--speed=-1', '--access-key', 'a');
  expect(wrong).toMatchObject({ code: 78, text: expect.stringMatching(/--port.*\n--speed/s) });
  expect(await start('--nonsense')).toMatchObject({ code: 78, text: expect.stringContaining("'--nonsense'") });
  const port = /:(\d+)/.exec(told)?.[1] ?? '';
  expect(await start('--port', port)).toMatchObject({ code: 1, text: expect.stringContaining('is taken') });
});
