/** docs/performance.md: what the measurements last wrote, so that no figure in it can be older than its source. */
import { readdir, readFile } from 'node:fs/promises';
import type { StoredRepair } from '../../test/demo/stored-repair.ts';

const BENCH = 'test/bench/results';
const WORDS: Readonly<Record<string, string>> = {
  mcp: 'The MCP service beside its peers',
  'mcp-memory': 'Memory of the MCP service',
  sidecar: 'The probe as a sidecar',
  creates: 'What a create takes longer through the API',
  reads: 'Reads of tasks',
  memory: 'Memory of the API with many tasks',
  waiters: 'Callers that wait',
};

/** The parts of a result: who made it, its table, and the lines of the run. */
function parts(name: string, text: string): { made: string; table: string; lines: string } {
  const made = /^Made by .*$/m.exec(text)?.[0];
  const table = text.match(/^\|.*$/gm)?.join('\n');
  if (made === undefined || table === undefined)
    throw new Error(`${BENCH}/${name}.md has no table, or does not say what made it`);
  const lines = (text.match(/^ {4}\S.*$/gm) ?? []).filter((line) => !/ is over$| have warmed up$/.test(line));
  return { made, table, lines: lines.map((line) => line.slice(4)).join('\n') };
}

async function measured(): Promise<string[]> {
  const names = (await readdir(BENCH)).map((file) => file.replace(/\.md$/, ''));
  const known = Object.keys(WORDS);
  const missing = names.filter((name) => !known.includes(name));
  if (missing.length > 0)
    throw new Error(`scripts/generate/performance-page.ts has no heading for ${missing.join(', ')}`);
  return Promise.all(
    known
      .filter((name) => names.includes(name))
      .map(async (name) => {
        const { made, table, lines } = parts(name, await readFile(`${BENCH}/${name}.md`, 'utf8'));
        const run =
          lines === '' ? '' : `\n<details><summary>The run</summary>\n\n\`\`\`text\n${lines}\n\`\`\`\n\n</details>\n`;
        return `### ${WORDS[name]}\n\n${made}\n\n${table}\n${run}`;
      }),
  );
}

/** A stored page without its heading. */
const body = async (path: string): Promise<string> => (await readFile(path, 'utf8')).replace(/^# .*\n+/, '').trim();

function repairTable({ steps, clients, date, pods }: StoredRepair): string {
  const rows = steps.map(({ name, after }) => `| ${name} | ${after.toFixed(1)} s |`);
  const last = Math.max(...clients.failed).toFixed(1);
  const share = Math.round((100 * clients.failed.length) / (clients.failed.length + clients.ok.length));
  return `Made by \`sh scripts/run.sh test/demo/record.ts\` on 2 cores, ${date}, with ${pods} MCP pods at the default settings.

| step of the record | after the fault |
|---|---:|
${rows.join('\n')}

Of ${clients.failed.length + clients.ok.length} requests of a client that asked all the time ${clients.failed.length} failed (${share} %), the last one ${last} s after the fault. \`test/e2e/repair.test.ts\` fails when a client still sees failures 15 s after the fault.`;
}

export async function performancePage(repair: StoredRepair): Promise<string> {
  return `<!-- Made from test/bench/results, test/chaos/results and docs/repair.yaml by \`npm run generate\`; do not edit. -->
# Performance

Each figure stands beside the command that made it and the machine it ran on. Compare the ratios: absolute figures are of that machine. \`npm run bench\` makes the tables of the second part anew and fails when a goal is missed; how each is measured is told in [test/bench](../test/bench/README.md).

## A repair

![A repair, second by second](repair.svg)

${repairTable(repair)}

How long it takes is set by \`spec.mcp.handshake\` (\`periodSeconds\` 5, \`failureThreshold\` 3) and \`spec.remediation.unhealthySeconds\` (10): shorter ones repair sooner, and know less when they do.

## Speed and memory

${(await measured()).join('\n')}
## Replicas killed and frozen at random

${await body('test/chaos/results/replicas.md')}

## The API, fuzzed

${await body('test/chaos/results/fuzz.md')}

## Ten thousand handshakes

With the server that died in 2025: [measurement](measurements/ten-thousand-handshakes.md).
`;
}
