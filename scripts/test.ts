/**
 * Everything that is claimed: the stages below, from types to the real node. Prints the
 * minutes of each stage; a stage that fails ends the run with its name. `npm test -- STAGE …` runs only those stages.
 */
import { spawn } from 'node:child_process';

interface Stage {
  name: string;
  what: string;
  command: string[];
}

const node = process.execPath;
const vitest = (project: string): string[] => [node, 'node_modules/vitest/vitest.mjs', 'run', '--project', project];

const STAGES: Stage[] = [
  {
    name: 'check',
    what: 'Types, lint, format, generated files, documents, chart',
    command: [node, 'scripts/check.ts'],
  },
  { name: 'unit', what: 'Unit tests', command: vitest('unit') },
  { name: 'conformance', what: "The protocol's own conformance suite", command: vitest('conformance') },
  { name: 'makers', what: 'The handshake against servers of other makers', command: vitest('makers') },
  { name: 'fuzz', what: 'The whole OpenAPI document of the API service, fuzzed', command: vitest('fuzz') },
  { name: 'page', what: 'The page for people and the console in a real browser', command: vitest('page') },
  { name: 'cluster', what: 'A real cluster', command: [node, 'test/cluster/cli.ts', 'up'] },
  { name: 'images', what: 'Images, built and loaded', command: [node, 'test/e2e/images.ts'] },
  { name: 'crd', what: 'The resource on the real API server', command: vitest('crd*') },
  { name: 'e2e', what: 'Cases on the real node, side by side', command: vitest('e2e') },
  { name: 'demo', what: 'The demo tells its story to the end', command: [node, 'test/demo/main.ts'] },
  { name: 'node', what: 'Cases that touch the node, one after another', command: vitest('node') },
  {
    name: 'down',
    what: 'A cluster that is killed comes back, and down leaves nothing',
    command: [node, 'test/cluster/verify-down.ts'],
  },
];

const run = (command: string[]): Promise<number> =>
  new Promise((resolve) => {
    const [file, ...args] = command;
    if (file === undefined) return resolve(1);
    spawn(file, args, { stdio: 'inherit' }).on('exit', (code) => resolve(code ?? 1));
  });

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !STAGES.some((stage) => stage.name === name));
if (unknown.length > 0) {
  console.error(`There is no stage ${unknown.join(', ')}. Stages: ${STAGES.map((stage) => stage.name).join(', ')}`);
  process.exit(2);
}

const minutes = (from: number): string => `${((Date.now() - from) / 60_000).toFixed(1)} min`;
const began = Date.now();
const done: string[] = [];
for (const stage of STAGES.filter((entry) => chosen.length === 0 || chosen.includes(entry.name))) {
  console.log(`\n── ${stage.name}: ${stage.what}`);
  const from = Date.now();
  const code = await run(stage.command);
  done.push(`${stage.name.padEnd(11)} ${minutes(from).padStart(9)}${code === 0 ? '' : '  FAILED'}`);
  if (code !== 0) {
    console.error(`\nStage ${stage.name} failed (exit ${code}). Again: npm test -- ${stage.name}\n${done.join('\n')}`);
    process.exit(1);
  }
}
console.log(`\n${done.join('\n')}\n${'all'.padEnd(11)} ${minutes(began).padStart(9)}`);
