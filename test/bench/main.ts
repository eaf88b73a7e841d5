/** Measures, prints and stores: `npm run bench`, or `npm run bench -- creates reads`. Ends with 1 when a goal is missed. */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { measureCreates } from './api/creates.ts';
import { measureMemory } from './api/memory.ts';
import { measureReads } from './api/reads.ts';
import { measureWaiters } from './api/waiters.ts';
import type { Figure } from './figures.ts';
import { measureMcpSpeed } from './mcp/speed.ts';
import { measureMcpMemory } from './mcp/steady.ts';
import { measureSidecar } from './sidecar.ts';

const MEASUREMENTS: Readonly<Record<string, (say: (text: string) => void) => Promise<Figure[]>>> = {
  creates: measureCreates,
  reads: measureReads,
  memory: measureMemory,
  waiters: measureWaiters,
  mcp: measureMcpSpeed,
  'mcp-memory': measureMcpMemory,
  sidecar: measureSidecar,
};

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => MEASUREMENTS[name] === undefined);
if (unknown.length > 0) {
  console.error(`There is no measurement ${unknown.join(', ')}. There are: ${Object.keys(MEASUREMENTS).join(', ')}`);
  process.exit(2);
}
// What is measured is what the images hold.
execFileSync(process.execPath, [join(import.meta.dirname, '../../scripts/build.ts')], { stdio: 'ignore' });
const folder = join(import.meta.dirname, 'results');
await mkdir(folder, { recursive: true });
for (const [name, measure] of Object.entries(MEASUREMENTS)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const lines: string[] = [];
  const figures = await measure((text) => {
    lines.push(text);
    console.log(text);
  });
  for (const { what, seen, goal, holds } of figures)
    console.log(`${holds ? 'holds ' : 'MISSED'}  ${what}: ${seen} (${goal})`);
  if (figures.some(({ holds }) => !holds)) process.exitCode = 1;
  await writeFile(join(folder, `${name}.md`), describe(name, figures, lines));
}

function describe(name: string, figures: readonly Figure[], lines: readonly string[]): string {
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.version}`;
  return [
    `# ${name}`,
    '',
    `Made by \`npm run bench -- ${name}\` on ${machine}, ${new Date().toISOString().slice(0, 10)}.`,
    '',
    '| what | seen | goal | |',
    '| --- | ---: | ---: | --- |',
    ...figures.map(
      ({ what, seen, goal, holds }) => `| ${what} | ${seen} | ${goal} | ${holds ? 'holds' : '**missed**'} |`,
    ),
    '',
    ...lines.map((line) => `    ${line}`),
    '',
  ].join('\n');
}
