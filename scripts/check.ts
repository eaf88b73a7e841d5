/** `npm run check`: types, lint and format, generated files, documents and the chart, side by side; every problem is shown. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { tools } from '../test/cluster/tools.ts';

const ROOT = join(import.meta.dirname, '..');
const TERMINAL = process.stdout.isTTY === true;

interface Check {
  readonly name: string;
  /** Program and arguments. */
  readonly command: () => Promise<readonly [string, ...string[]]>;
  readonly wayOut: string;
}

const CHECKS: readonly Check[] = [
  {
    name: 'types',
    command: async () => ['tsc', '-p', 'tsconfig.json', '--noEmit'],
    wayOut: 'fix the types',
  },
  {
    name: 'types of the page',
    command: async () => ['tsc', '-p', 'test/page/tsconfig.json', '--noEmit'],
    wayOut: 'fix the types of what runs in browsers, or of its tests',
  },
  {
    name: 'lint and format',
    command: async () => ['biome', 'ci', `--colors=${TERMINAL ? 'force' : 'off'}`, '--max-diagnostics=200', '.'],
    wayOut: 'npm run format mends what can be mended',
  },
  {
    name: 'generated files',
    command: async () => [process.execPath, 'scripts/generate.ts', '--check'],
    wayOut: 'npm run generate, and commit the result',
  },
  {
    name: 'documents',
    command: async () => {
      const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--reporter', 'dot'];
      return [process.execPath, ...vitest, 'test/unit/docs.test.ts'];
    },
    wayOut: 'mend the links, YAML or commands of the page that is named; see test/docs/README.md',
  },
  {
    name: 'chart',
    command: async () => {
      const { helm } = await tools();
      return [helm, 'lint', '--strict', 'charts/kling-operator', '--set', 'image.registry=registry.example.com'];
    },
    wayOut: 'see charts/kling-operator',
  },
];

interface Outcome {
  readonly check: Check;
  readonly passed: boolean;
  readonly output: string;
  readonly seconds: number;
}

async function run(check: Check): Promise<Outcome> {
  const started = performance.now();
  const { passed, output } = await execute(await check.command()).catch((error: unknown) => ({
    passed: false,
    output: String(error),
  }));
  return { check, passed, output: output.trim(), seconds: (performance.now() - started) / 1000 };
}

/** Both streams as they come. */
function execute([program, ...args]: readonly [string, ...string[]]): Promise<{ passed: boolean; output: string }> {
  return new Promise((resolve, reject) => {
    const colour = TERMINAL ? { FORCE_COLOR: '1' } : { FORCE_COLOR: undefined, NO_COLOR: '1' };
    const child = spawn(program, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...colour },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ passed: code === 0, output }));
  });
}

const outcomes = await Promise.all(
  CHECKS.map(async (check) => {
    const outcome = await run(check);
    const mark = outcome.passed ? styleText('green', 'passed') : styleText('red', 'failed');
    console.log(`${mark}  ${check.name.padEnd(18)}${outcome.seconds.toFixed(1).padStart(6)} s`);
    return outcome;
  }),
);
const failed = outcomes.filter(({ passed }) => !passed);
for (const { check, output } of failed) console.log(`\n${styleText('bold', check.name)} (${check.wayOut})\n${output}`);
if (failed.length > 0) process.exitCode = 1;
