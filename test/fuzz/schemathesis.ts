import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonPackages } from '../makers/python.ts';
import type { Target } from './target.ts';

export interface FuzzOptions {
  readonly target: Target;
  readonly seed: number;
  /** Seconds for everything; fuzzing and chains of calls fill what the fixed cases leave. */
  readonly seconds: number;
  /** Which operations, by a regular expression over their paths; all without it. */
  readonly paths?: string;
}

export interface FuzzReport {
  readonly operations: number;
  readonly cases: number;
  /** The end of what schemathesis wrote, with every failure and how to repeat it. Empty when nothing was found. */
  readonly failures: string;
}

const REQUIREMENTS = 'test/fuzz/python/requirements.txt';
/**
 * Whether a request that fits the schema is taken is not checked: pictures have
 * to be public, models can do some things and not others, and one of two fields
 * is needed; a schema cannot say that.
 */
const LEFT_OUT = ['positive_data_acceptance'];
/** Much longer than any reply takes; a wait may be asked to last ten minutes, but tasks of the sandbox end at once. */
const REPLY_WITHIN_SECONDS = 20;

/** Sends what its OpenAPI document makes possible, and impossible, to a running service. */
export async function fuzz({ target, seed, seconds, paths }: FuzzOptions): Promise<FuzzReport> {
  const { executable, env } = await pythonPackages(REQUIREMENTS);
  const folder = await mkdtemp(join(tmpdir(), 'schemathesis-'));
  try {
    const args = [
      ...['-m', 'schemathesis.cli', 'run', `${target.url}/docs/json`, '--url', target.url],
      ...['--header', `Authorization: Bearer ${target.key}`],
      ...['--checks', 'all', '--exclude-checks', LEFT_OUT.join(',')],
      ...['--phases', 'examples,coverage,fuzzing,stateful', '--max-time', String(seconds), '--seed', String(seed)],
      ...['--continue-on-failure', '--request-timeout', String(REPLY_WITHIN_SECONDS)],
      ...(paths === undefined ? [] : ['--include-path-regex', paths]),
      ...['--generation-database', 'none', '--no-color', '--report-json-path', join(folder, 'report.json')],
    ];
    const { code, output } = await run(executable, args, { ...process.env, ...env, PYTHONHASHSEED: '0' }, folder);
    return { ...countsOf(output), failures: code === 0 ? '' : problemsIn(output) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd: string) {
  const child = spawn(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { code, output };
}

function countsOf(output: string): Pick<FuzzReport, 'operations' | 'cases'> {
  const number = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0);
  return { operations: number(/Tested: (\d+)/), cases: number(/(\d+) generated/) };
}

/** Generated bodies can be megabytes; their beginning is enough to see what is wrong. */
function problemsIn(output: string): string {
  const from = Math.max(0, output.search(/^=+ (ERRORS|FAILURES) =+$/m));
  const lines = output.slice(from).split('\n');
  return lines.map((line) => (line.length > 500 ? `${line.slice(0, 500)}…` : line)).join('\n');
}
