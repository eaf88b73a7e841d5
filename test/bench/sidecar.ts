import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startServiceProcess } from '../service-process.ts';
import type { Figure } from './figures.ts';
import { FLAGS } from './flags.ts';
import { startOurs } from './mcp/processes.ts';

const MAIN = join(import.meta.dirname, '../../services/probe/dist/main.js');
const PERIOD_MS = 5_000;
const HANDSHAKES = 12;
const ANONYMOUS_MB = 35;
const RESIDENT_MB = 85;
const CPU_MILLI = 5;

/** The probe as the image starts it beside an MCP server, asked by a kubelet every five seconds, for a minute. */
export async function measureSidecar(say: (text: string) => void): Promise<Figure[]> {
  const server = await startOurs();
  const env = { PROBE_URL: `${server.url}/mcp/v1`, PROBE_ERAS: 'Both' };
  const probe = await startServiceProcess(MAIN, { env, flags: FLAGS });
  const pid = String(probe.process.pid);
  const ask = async () => {
    const reply = await fetch(`${probe.managementUrl}/readyz`);
    if (reply.status !== 200) throw new Error(`the probe says ${reply.status}: ${await reply.text()}`);
    await reply.text();
  };
  try {
    await ask();
    const began = await cpuNanoseconds(pid);
    const started = performance.now();
    for (let count = 0; count < HANDSHAKES; count += 1) {
      await pause(PERIOD_MS);
      await ask();
    }
    const milli = ((await cpuNanoseconds(pid)) - began) / 1e3 / (performance.now() - started);
    const anonymous = await statusMb(pid, 'RssAnon');
    const resident = await statusMb(pid, 'VmRSS');
    say(
      `after ${HANDSHAKES} handshakes of both eras: ${resident.toFixed(0)} MB resident, of which anonymous ${anonymous.toFixed(0)} MB`,
    );
    return [
      below('anonymous memory', anonymous, ANONYMOUS_MB, 'MB'),
      below('resident memory', resident, RESIDENT_MB, 'MB'),
      below('CPU time with a handshake every 5 seconds', milli, CPU_MILLI, 'thousandths of a core'),
    ];
  } finally {
    await probe.kill();
    await server.kill();
  }
}

/** Of all threads (`/proc/<pid>/task/<tid>/schedstat`). */
async function cpuNanoseconds(pid: string): Promise<number> {
  let sum = 0;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    sum += Number((await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')).split(' ')[0]);
  }
  return sum;
}

async function statusMb(pid: string, field: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return (Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024) / 1e6;
}

function below(what: string, seen: number, goal: number, unit: string): Figure {
  return { what, seen: `${seen.toFixed(1)} ${unit}`, goal: `< ${goal} ${unit}`, holds: seen < goal };
}
