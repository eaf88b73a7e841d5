/**
 * Ten thousand handshakes with FastMCP 2.5.1 in each of its modes, one after another as the sidecar does them: the
 * server has to be alive afterwards, serve a real client, and keep no more sessions and memory than before.
 *
 *   sh scripts/run.sh test/chaos/ten-thousand.ts [HANDSHAKES]      minutes; writes docs/measurements/ten-thousand-handshakes.md
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHandshaker, handshake } from '@klingapi/probe';
import { addTwoNumbersLegacy } from '../makers/client.ts';
import { type PythonServer, startPython } from '../makers/python.ts';

const HANDSHAKES = Number(process.argv[2] ?? 10_000);
const PAGE = join(import.meta.dirname, '../../docs/measurements/ten-thousand-handshakes.md');
const MODES: [string, PythonServer, boolean][] = [
  ['with sessions, anyio 4.9.0', 'fastmcp-2.5.1', false],
  ['stateless, anyio 4.9.0', 'fastmcp-2.5.1', true],
  ['with sessions, anyio 4.16.0', 'fastmcp-2.5.1-anyio-4.16', false],
  ['stateless, anyio 4.16.0', 'fastmcp-2.5.1-anyio-4.16', true],
];
const MIB = 1024 * 1024;

interface Row {
  mode: string;
  verdicts: string;
  seconds: number;
  p50: number;
  p99: number;
  sessions: number;
  /** MiB after the first hundred handshakes, and after all. */
  memory: [number, number];
  client: boolean;
}

async function attack([mode, name, stateless]: (typeof MODES)[number]): Promise<Row> {
  const server = await startPython(name, stateless);
  try {
    const shake = createHandshaker();
    const verdicts = new Map<string, number>();
    const times: number[] = [];
    let warm = 0;
    const began = performance.now();
    for (let done = 1; done <= HANDSHAKES; done++) {
      const started = performance.now();
      const { verdict, diagnosis } = await shake({ url: server.url, timeoutMs: 10_000 });
      times.push(performance.now() - started);
      const seen = `${verdict}${diagnosis === null ? '' : ` ${diagnosis}`}`;
      verdicts.set(seen, (verdicts.get(seen) ?? 0) + 1);
      if (done === 100) warm = await server.residentBytes();
    }
    const seconds = (performance.now() - began) / 1000;
    times.sort((a, b) => a - b);
    const at = (share: number) => times[Math.floor(times.length * share)] ?? 0;
    const last = await handshake({ url: server.url, timeoutMs: 10_000 });
    const answer = JSON.stringify(await addTwoNumbersLegacy(server.url).catch(String));
    return {
      mode,
      verdicts: [...verdicts].map(([verdict, count]) => `${count} ${verdict}`).join(', '),
      seconds,
      p50: at(0.5),
      p99: at(0.99),
      sessions: await server.sessions(),
      memory: [warm / MIB, (await server.residentBytes()) / MIB],
      client: last.verdict === 'Serving' && answer.includes('"42"'),
    };
  } finally {
    await server.close();
  }
}

const rows: Row[] = [];
for (const mode of MODES) {
  const row = await attack(mode);
  console.log(`${row.mode}: ${row.verdicts}; a client afterwards: ${row.client ? 'served' : 'NOT SERVED'}`);
  rows.push(row);
}
const page = `# ${HANDSHAKES.toLocaleString('en')} handshakes with FastMCP 2.5.1

Written by \`sh scripts/run.sh test/chaos/ten-thousand.ts\` (Node ${process.versions.node}, loopback, one handshake after another on ${new Date().toISOString().slice(0, 10)}). The server is the original's: FastMCP 2.5.1 on mcp 1.9.1, which dies of a request that it does not know, and with anyio 4.16.0 also of a DELETE. Afterwards a client connects and has it add two numbers.

| mode | verdicts | time | p50 | p99 | sessions left open | memory after 100, after all | client afterwards |
| --- | --- | --- | --- | --- | --- | --- | --- |
${rows
  .map(
    ({ mode, verdicts, seconds, p50, p99, sessions, memory: [warm, end], client }) =>
      `| ${mode} | ${verdicts} | ${seconds.toFixed(0)} s | ${p50.toFixed(1)} ms | ${p99.toFixed(1)} ms | ${sessions} | ${warm.toFixed(1)} MiB, ${end.toFixed(1)} MiB | ${client ? 'served' : 'not served'} |`,
  )
  .join('\n')}

Without sessions a server this old keeps about 40 KiB for every request that it gets, whoever sends it and whatever it answers: 1,000 times \`ping\` cost 38 MiB, 1,000 requests that it refuses with 406 cost 37 MiB, 1,000 handshakes 44 MiB. No handshake can avoid that; a longer \`handshake.periodSeconds\`, a memory limit, or an upgrade of mcp does.

Sessions left open: the one that the handshaker keeps on servers this old (\`docs/decisions/0006-sessions-of-old-servers.md\`), one of the single handshake at the end, and, where a client ends its session without a DELETE, that of the client.
`;
await mkdir(join(PAGE, '..'), { recursive: true });
await writeFile(PAGE, page);
const bad = rows.filter(({ client, verdicts }) => !client || verdicts !== `${HANDSHAKES} Serving`);
if (bad.length > 0) process.exitCode = 1;
